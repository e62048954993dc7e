"""Follows a workspace's changes by a named subscription and writes each once into a file.

Run it as `python consumer.py changes.jsonl`. Kill it at any moment: the server keeps the place that was acknowledged, and
what was not comes again.
"""

import json
import os
import sys
import time

import grpc
from google.protobuf.json_format import MessageToDict

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "gen"))
from docket.document.v1 import change_pb2, change_service_pb2, subscription_pb2  # noqa: E402
from docket.document.v1.change_service_pb2_grpc import ChangeServiceStub  # noqa: E402

NAME = "example-python"
WORKSPACE = os.environ["DOCKET_WORKSPACE"]
METADATA = [("authorization", f"Bearer {os.environ['DOCKET_KEY']}")]

output = open(sys.argv[1], "a+b")
output.seek(0)
text = output.read()
whole = text[: text.rfind(b"\n") + 1]  # A kill may have left the last line unfinished.
output.truncate(len(whole))
known = {json.loads(line)["id"] for line in whole.splitlines()}


def subscription(client: ChangeServiceStub) -> str:
    """Finds the subscription of this name, or makes it. A workspace has at most 100."""
    request = change_service_pb2.ListSubscriptionsRequest(workspace_id=WORKSPACE, page_size=200)
    for each in client.ListSubscriptions(request, metadata=METADATA).subscriptions:
        if each.name == NAME:
            return each.id
    start = change_pb2.WATCH_START_OLDEST
    request = subscription_pb2.CreateSubscriptionRequest(workspace_id=WORKSPACE, name=NAME, start=start)
    return client.CreateSubscription(request, metadata=METADATA).subscription.id


def follow(client: ChangeServiceStub) -> None:
    place = subscription(client)
    request = change_service_pb2.WatchChangesRequest(subscription_id=place)
    for answer in client.WatchChanges(request, metadata=METADATA):
        fresh = [change for change in answer.changes if change.id not in known]
        # First durable here, then acknowledged there: nothing is lost, and `known` drops what comes twice.
        output.write(b"".join(json.dumps(MessageToDict(change)).encode() + b"\n" for change in fresh))
        output.flush()
        os.fsync(output.fileno())
        known.update(change.id for change in fresh)
        done = change_service_pb2.AcknowledgeChangesRequest(subscription_id=place, cursor=answer.cursor)
        client.AcknowledgeChanges(done, metadata=METADATA)


with grpc.insecure_channel(os.environ["DOCKET_URL"].removeprefix("http://")) as channel:
    while True:
        try:
            follow(ChangeServiceStub(channel))
        except grpc.RpcError as error:
            # UNAVAILABLE is RESUME, a restart, or a network that was away.
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
        time.sleep(0.5)
