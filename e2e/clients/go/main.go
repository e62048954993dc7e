// The main job with clients that `buf generate` made from `proto/`, over gRPC: `go run ./journey`, with DOCKET_URL set.
// Its module and templates are those of examples/consumer/go, a folder with which this file is put together.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	documentv1 "docket.example/client/gen/docket/document/v1"
	storagev1 "docket.example/client/gen/docket/storage/v1"
	userv1 "docket.example/client/gen/docket/user/v1"
)

const chunkBytes = 256 << 10

// person is somebody who is signed in: ctx carries the session.
type person struct {
	ctx        context.Context
	id, email  string
	workspaces userv1.WorkspaceServiceClient
	roles      userv1.RoleServiceClient
	documents  documentv1.DocumentServiceClient
	versions   documentv1.VersionServiceClient
	tasks      documentv1.TaskServiceClient
	changes    documentv1.ChangeServiceClient
	uploads    storagev1.UploadServiceClient
	transfers  storagev1.TransferServiceClient
}

func main() {
	log.SetFlags(0)
	if err := journey(strings.TrimPrefix(os.Getenv("DOCKET_URL"), "http://")); err != nil {
		log.Fatal(err)
	}
}

func journey(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	anna, err := signUp(ctx, connection, "Anna")
	if err != nil {
		return err
	}
	ben, err := signUp(ctx, connection, "Ben")
	if err != nil {
		return err
	}
	workspace, err := share(anna, ben)
	if err != nil {
		return err
	}
	fmt.Println("two people share a workspace")

	files := [][]byte{random(16 << 20), random(100_000)}
	document, task, err := work(anna, ben, workspace, files)
	if err != nil {
		return err
	}
	fmt.Println("a document has two versions and a task on the first")

	mine, err := ben.tasks.ListTasks(ben.ctx, &documentv1.ListTasksRequest{AssignedToMe: true})
	if err != nil {
		return err
	}
	if len(mine.Tasks) != 1 || !mine.Tasks[0].Stale || mine.Tasks[0].Pin.VersionNumber != 1 {
		return fmt.Errorf("the task on version 1 should be stale: %v", mine)
	}
	completed, err := ben.tasks.CompleteTask(ben.ctx, &documentv1.CompleteTaskRequest{TaskId: task})
	if err != nil {
		return err
	}
	if completed.Task.Status != documentv1.TaskStatus_TASK_STATUS_COMPLETED {
		return fmt.Errorf("the task should be completed: %v", completed)
	}
	for index, file := range files {
		if err := download(ben, document, uint32(index+1), file); err != nil {
			return err
		}
	}
	fmt.Println("the other person completed it, and both versions came down byte for byte")

	if err := watch(anna, workspace); err != nil {
		return err
	}
	fmt.Println("the stream of changes told all of it, in order")
	return nil
}

func signUp(ctx context.Context, connection *grpc.ClientConn, name string) (*person, error) {
	email := fmt.Sprintf("%s-go-%d@example.com", strings.ToLower(name), time.Now().UnixNano())
	request := &userv1.SignUpRequest{Email: email, Password: "correct horse " + name + " battery", DisplayName: name}
	answer, err := userv1.NewSessionServiceClient(connection).SignUp(ctx, request)
	if err != nil {
		return nil, err
	}
	return &person{
		ctx:        metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+answer.SessionSecret),
		id:         answer.User.Id,
		email:      email,
		workspaces: userv1.NewWorkspaceServiceClient(connection),
		roles:      userv1.NewRoleServiceClient(connection),
		documents:  documentv1.NewDocumentServiceClient(connection),
		versions:   documentv1.NewVersionServiceClient(connection),
		tasks:      documentv1.NewTaskServiceClient(connection),
		changes:    documentv1.NewChangeServiceClient(connection),
		uploads:    storagev1.NewUploadServiceClient(connection),
		transfers:  storagev1.NewTransferServiceClient(connection),
	}, nil
}

// share makes a workspace of one person and lets the other in.
func share(anna, ben *person) (string, error) {
	made, err := anna.workspaces.CreateWorkspace(anna.ctx, &userv1.CreateWorkspaceRequest{Name: "Harbour Works"})
	if err != nil {
		return "", err
	}
	workspace := made.Workspace.Id
	listed, err := anna.roles.ListRoles(anna.ctx, &userv1.ListRolesRequest{WorkspaceId: workspace})
	if err != nil {
		return "", err
	}
	member := slices.IndexFunc(listed.Roles, func(role *userv1.Role) bool {
		return role.BuiltIn == userv1.BuiltInRole_BUILT_IN_ROLE_MEMBER
	})
	if member < 0 {
		return "", errors.New("there is no role of members")
	}
	request := &userv1.CreateInvitationRequest{WorkspaceId: workspace, Email: &ben.email, RoleId: listed.Roles[member].Id}
	invited, err := anna.workspaces.CreateInvitation(anna.ctx, request)
	if err != nil {
		return "", err
	}
	_, err = ben.workspaces.AcceptInvitation(ben.ctx, &userv1.AcceptInvitationRequest{Secret: invited.Secret})
	return workspace, err
}

// work makes a document of the first file, a task on it for the other person, and a version of the second file.
func work(anna, ben *person, workspace string, files [][]byte) (document, task string, err error) {
	first, err := upload(anna, workspace, "Drawing.bin", files[0])
	if err != nil {
		return "", "", err
	}
	made, err := anna.documents.CreateDocument(anna.ctx, &documentv1.CreateDocumentRequest{
		Parent:   &documentv1.CreateDocumentRequest_WorkspaceId{WorkspaceId: workspace},
		UploadId: first,
	})
	if err != nil {
		return "", "", err
	}
	document = made.Document.Id
	given, err := anna.tasks.CreateTask(anna.ctx, &documentv1.CreateTaskRequest{
		Place:         &documentv1.CreateTaskRequest_DocumentId{DocumentId: document},
		VersionNumber: 1,
		Title:         "Check the figures",
		Assignee:      &documentv1.Assignee{Assignee: &documentv1.Assignee_PersonId{PersonId: ben.id}},
		OnNewVersion:  documentv1.NewVersionRule_NEW_VERSION_RULE_GO_STALE,
	})
	if err != nil {
		return "", "", err
	}
	second, err := upload(anna, workspace, "Drawing 2.bin", files[1])
	if err != nil {
		return "", "", err
	}
	version, err := anna.versions.CreateVersion(anna.ctx, &documentv1.CreateVersionRequest{DocumentId: document, UploadId: second})
	if err == nil && version.Version.Number != 2 {
		err = fmt.Errorf("not version 2: %v", version)
	}
	return document, given.Task.Id, err
}

// upload brings a file up; one of more than a chunk is cut half-way and resumed.
func upload(by *person, workspace, name string, file []byte) (string, error) {
	size, digest := int64(len(file)), sha256.Sum256(file)
	request := &storagev1.CreateUploadRequest{WorkspaceId: workspace, Name: name, Size: &size, Sha256: digest[:]}
	made, err := by.uploads.CreateUpload(by.ctx, request)
	if err != nil {
		return "", err
	}
	id, offset := made.Upload.Id, int64(0)
	if size > chunkBytes {
		if err := write(by, id, file, 0, size/2); status.Code(err) != codes.Canceled {
			return "", fmt.Errorf("the stream should have been cut: %w", err)
		}
		// The server learns of the cut, and makes durable what it has, a moment after this client gave up.
		for tries := 0; offset == 0 && tries < 100; tries++ {
			time.Sleep(100 * time.Millisecond)
			kept, err := by.uploads.GetUpload(by.ctx, &storagev1.GetUploadRequest{UploadId: id})
			if err != nil {
				return "", err
			}
			offset = kept.Upload.Offset
		}
		if offset == 0 || offset >= size {
			return "", fmt.Errorf("after the cut the upload stands at %d", offset)
		}
		fmt.Printf("  cut; resumes at %d of %d\n", offset, size)
	}
	if err := write(by, id, file, offset, size); err != nil {
		return "", err
	}
	wait := durationpb.New(30 * time.Second)
	done, err := by.uploads.CompleteUpload(by.ctx, &storagev1.CompleteUploadRequest{UploadId: id, Wait: wait})
	if err == nil && done.Upload.State != storagev1.UploadState_UPLOAD_STATE_STORED {
		err = fmt.Errorf("the upload should be stored: %v", done)
	}
	return id, err
}

// write sends bytes from offset on; if cutAt is before their end, the stream breaks there, as when a network goes away.
func write(by *person, id string, file []byte, offset, cutAt int64) error {
	ctx, cut := context.WithCancel(by.ctx)
	defer cut()
	stream, err := by.transfers.WriteBlob(ctx)
	if err != nil {
		return err
	}
	start := &storagev1.WriteBlobStart{UploadId: id, Offset: offset}
	err = stream.Send(&storagev1.WriteBlobRequest{Part: &storagev1.WriteBlobRequest_Start{Start: start}})
	for at := offset; err == nil && at < cutAt; at += chunkBytes {
		chunk := file[at:min(at+chunkBytes, int64(len(file)))]
		err = stream.Send(&storagev1.WriteBlobRequest{Part: &storagev1.WriteBlobRequest_Chunk{Chunk: chunk}})
	}
	// Send says io.EOF when the server ended the stream; the reason comes with the answer.
	if err == nil && cutAt < int64(len(file)) {
		// What lies in buffers on the way would be lost with the stream; give it a moment to be sent.
		time.Sleep(200 * time.Millisecond)
		cut()
	}
	_, err = stream.CloseAndRecv()
	return err
}

func download(by *person, document string, number uint32, file []byte) error {
	request := &documentv1.CreateDownloadTicketRequest{DocumentId: document, Number: number}
	ticket, err := by.versions.CreateDownloadTicket(by.ctx, request)
	if err != nil {
		return err
	}
	stream, err := by.transfers.ReadBlob(by.ctx, &storagev1.ReadBlobRequest{Ticket: ticket.Ticket})
	if err != nil {
		return err
	}
	digest := sha256.New()
	for {
		answer, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		digest.Write(answer.GetChunk())
	}
	if expected := sha256.Sum256(file); !bytes.Equal(digest.Sum(nil), expected[:]) {
		return fmt.Errorf("version %d came down with other bytes", number)
	}
	return nil
}

// watch reads the workspace's changes from the oldest on, until it has seen what was done.
func watch(by *person, workspace string) error {
	expected := []documentv1.ChangeKind{
		documentv1.ChangeKind_CHANGE_KIND_DOCUMENT_CREATED,
		documentv1.ChangeKind_CHANGE_KIND_TASK_CREATED,
		documentv1.ChangeKind_CHANGE_KIND_VERSION_CREATED,
		documentv1.ChangeKind_CHANGE_KIND_TASK_COMPLETED,
	}
	stream, err := by.changes.WatchChanges(by.ctx, &documentv1.WatchChangesRequest{
		Filter: &documentv1.ChangeFilter{WorkspaceIds: []string{workspace}, Kinds: expected},
		Start:  documentv1.WatchStart_WATCH_START_OLDEST,
	})
	if err != nil {
		return err
	}
	var seen []documentv1.ChangeKind
	var sequence int64
	for len(seen) < len(expected) {
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, change := range answer.Changes {
			if change.Sequence <= sequence {
				return fmt.Errorf("%d came after %d", change.Sequence, sequence)
			}
			sequence = change.Sequence
			seen = append(seen, change.Kind)
		}
	}
	if !slices.Equal(seen, expected) {
		return fmt.Errorf("saw %v", seen)
	}
	return nil
}

func random(size int) []byte {
	bytes := make([]byte, size)
	rand.Read(bytes)
	return bytes
}
