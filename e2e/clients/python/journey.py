"""The main job with clients that `buf generate` made from `proto/`, over gRPC: `python journey.py`, with DOCKET_URL set.

The packages and the template are those of examples/consumer/python, a folder with which this file is put together.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterator

import grpc
from google.protobuf.duration_pb2 import Duration

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "gen"))
from docket.document.v1 import change_pb2, change_service_pb2, document_pb2, task_pb2, task_service_pb2  # noqa: E402
from docket.document.v1 import version_service_pb2  # noqa: E402
from docket.document.v1.change_service_pb2_grpc import ChangeServiceStub  # noqa: E402
from docket.document.v1.document_service_pb2_grpc import DocumentServiceStub  # noqa: E402
from docket.document.v1.task_service_pb2_grpc import TaskServiceStub  # noqa: E402
from docket.document.v1.version_service_pb2_grpc import VersionServiceStub  # noqa: E402
from docket.storage.v1 import transfer_service_pb2, upload_pb2, upload_service_pb2  # noqa: E402
from docket.storage.v1.transfer_service_pb2_grpc import TransferServiceStub  # noqa: E402
from docket.storage.v1.upload_service_pb2_grpc import UploadServiceStub  # noqa: E402
from docket.user.v1 import invitation_pb2, role_pb2, role_service_pb2, session_service_pb2  # noqa: E402
from docket.user.v1 import workspace_service_pb2  # noqa: E402
from docket.user.v1.role_service_pb2_grpc import RoleServiceStub  # noqa: E402
from docket.user.v1.session_service_pb2_grpc import SessionServiceStub  # noqa: E402
from docket.user.v1.workspace_service_pb2_grpc import WorkspaceServiceStub  # noqa: E402

CHUNK_BYTES = 256 * 1024


class Person:
    """Somebody who is signed in: every call goes out with the session."""

    def __init__(self, channel: grpc.Channel, name: str) -> None:
        self.email = f"{name.lower()}-py-{time.time_ns()}@example.com"
        answer = SessionServiceStub(channel).SignUp(
            session_service_pb2.SignUpRequest(
                email=self.email, password=f"correct horse {name} battery", display_name=name
            )
        )
        self.id = answer.user.id
        self.metadata = [("authorization", f"Bearer {answer.session_secret}")]
        self.workspaces = WorkspaceServiceStub(channel)
        self.roles = RoleServiceStub(channel)
        self.documents = DocumentServiceStub(channel)
        self.versions = VersionServiceStub(channel)
        self.tasks = TaskServiceStub(channel)
        self.changes = ChangeServiceStub(channel)
        self.uploads = UploadServiceStub(channel)
        self.transfers = TransferServiceStub(channel)


def share(anna: Person, ben: Person) -> str:
    """Makes a workspace of one person and lets the other in."""
    request = workspace_service_pb2.CreateWorkspaceRequest(name="Harbour Works")
    workspace = anna.workspaces.CreateWorkspace(request, metadata=anna.metadata).workspace.id
    listed = anna.roles.ListRoles(role_service_pb2.ListRolesRequest(workspace_id=workspace), metadata=anna.metadata)
    role = next(role.id for role in listed.roles if role.built_in == role_pb2.BUILT_IN_ROLE_MEMBER)
    request = invitation_pb2.CreateInvitationRequest(workspace_id=workspace, email=ben.email, role_id=role)
    secret = anna.workspaces.CreateInvitation(request, metadata=anna.metadata).secret
    ben.workspaces.AcceptInvitation(invitation_pb2.AcceptInvitationRequest(secret=secret), metadata=ben.metadata)
    return workspace


def write(by: Person, upload_id: str, file: bytes, offset: int, cut_at: int | None = None) -> None:
    """Sends bytes from offset on. With cut_at the stream breaks there, as when a network goes away."""

    def requests() -> Iterator[transfer_service_pb2.WriteBlobRequest]:
        start = transfer_service_pb2.WriteBlobStart(upload_id=upload_id, offset=offset)
        yield transfer_service_pb2.WriteBlobRequest(start=start)
        for at in range(offset, len(file), CHUNK_BYTES):
            if cut_at is not None and at >= cut_at:
                # What lies in buffers on the way would be lost with the stream; give it a moment to be sent.
                time.sleep(0.2)
                call.cancel()
                return
            yield transfer_service_pb2.WriteBlobRequest(chunk=file[at : at + CHUNK_BYTES])

    call = by.transfers.WriteBlob.future(requests(), metadata=by.metadata)
    call.result()


def upload(by: Person, workspace: str, name: str, file: bytes) -> str:
    """Brings a file up; one of more than a chunk is cut half-way and resumed."""
    request = upload_service_pb2.CreateUploadRequest(
        workspace_id=workspace, name=name, size=len(file), sha256=hashlib.sha256(file).digest()
    )
    upload_id = by.uploads.CreateUpload(request, metadata=by.metadata).upload.id
    offset = 0
    if len(file) > CHUNK_BYTES:
        try:
            write(by, upload_id, file, 0, len(file) // 2)
            raise AssertionError("the stream should have been cut")
        except grpc.FutureCancelledError:
            pass
        # The server learns of the cut, and makes durable what it has, a moment after this client gave up.
        for _ in range(100):
            time.sleep(0.1)
            request = upload_service_pb2.GetUploadRequest(upload_id=upload_id)
            offset = by.uploads.GetUpload(request, metadata=by.metadata).upload.offset
            if offset > 0:
                break
        assert 0 < offset < len(file), f"after the cut the upload stands at {offset}"
        print(f"  cut; resumes at {offset} of {len(file)}")
    write(by, upload_id, file, offset)
    request = upload_service_pb2.CompleteUploadRequest(upload_id=upload_id, wait=Duration(seconds=30))
    done = by.uploads.CompleteUpload(request, metadata=by.metadata).upload
    assert done.state == upload_pb2.UPLOAD_STATE_STORED, done
    return upload_id


def download(by: Person, document: str, number: int) -> bytes:
    """Gives the digest of what came down."""
    request = version_service_pb2.CreateDownloadTicketRequest(document_id=document, number=number)
    ticket = by.versions.CreateDownloadTicket(request, metadata=by.metadata).ticket
    digest = hashlib.sha256()
    for answer in by.transfers.ReadBlob(transfer_service_pb2.ReadBlobRequest(ticket=ticket), metadata=by.metadata):
        digest.update(answer.chunk)
    return digest.digest()


def watch(by: Person, workspace: str) -> None:
    """Reads the workspace's changes from the oldest on, until it has seen what was done."""
    expected = [
        change_pb2.CHANGE_KIND_DOCUMENT_CREATED,
        change_pb2.CHANGE_KIND_TASK_CREATED,
        change_pb2.CHANGE_KIND_VERSION_CREATED,
        change_pb2.CHANGE_KIND_TASK_COMPLETED,
    ]
    request = change_service_pb2.WatchChangesRequest(
        filter=change_pb2.ChangeFilter(workspace_ids=[workspace], kinds=expected), start=change_pb2.WATCH_START_OLDEST
    )
    seen: list[change_pb2.Change] = []
    stream = by.changes.WatchChanges(request, metadata=by.metadata, timeout=30)
    while len(seen) < len(expected):
        seen.extend(next(stream).changes)
    stream.cancel()
    assert [change.kind for change in seen] == expected, seen
    sequences = [change.sequence for change in seen]
    assert sequences == sorted(set(sequences)), sequences


def journey(channel: grpc.Channel) -> None:
    anna, ben = Person(channel, "Anna"), Person(channel, "Ben")
    workspace = share(anna, ben)
    print("two people share a workspace")

    files = [os.urandom(16 * 1024 * 1024), os.urandom(100_000)]
    first = upload(anna, workspace, "Drawing.bin", files[0])
    request = document_pb2.CreateDocumentRequest(workspace_id=workspace, upload_id=first)
    document = anna.documents.CreateDocument(request, metadata=anna.metadata).document.id
    request = task_pb2.CreateTaskRequest(
        document_id=document,
        version_number=1,
        title="Check the figures",
        assignee=task_pb2.Assignee(person_id=ben.id),
        on_new_version=task_pb2.NEW_VERSION_RULE_GO_STALE,
    )
    task = anna.tasks.CreateTask(request, metadata=anna.metadata).task.id
    second = upload(anna, workspace, "Drawing 2.bin", files[1])
    request = version_service_pb2.CreateVersionRequest(document_id=document, upload_id=second)
    assert anna.versions.CreateVersion(request, metadata=anna.metadata).version.number == 2
    print("a document has two versions and a task on the first")

    mine = ben.tasks.ListTasks(task_pb2.ListTasksRequest(assigned_to_me=True), metadata=ben.metadata).tasks
    assert [(each.id, each.stale, each.pin.version_number) for each in mine] == [(task, True, 1)], mine
    request = task_service_pb2.CompleteTaskRequest(task_id=task)
    completed = ben.tasks.CompleteTask(request, metadata=ben.metadata).task
    assert completed.status == task_pb2.TASK_STATUS_COMPLETED, completed
    for number, file in enumerate(files, start=1):
        assert download(ben, document, number) == hashlib.sha256(file).digest()
    print("the other person completed it, and both versions came down byte for byte")

    watch(anna, workspace)
    print("the stream of changes told all of it, in order")


with grpc.insecure_channel(os.environ["DOCKET_URL"].removeprefix("http://")) as connection:
    journey(connection)
