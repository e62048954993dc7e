// Follows a workspace's changes by a named subscription and writes each once into a file: `go run . changes.jsonl`.
// Kill it at any moment: the server keeps the place that was acknowledged, and what was not comes again.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	documentv1 "docket.example/client/gen/docket/document/v1"
)

const name = "example-go"

func main() {
	address := strings.TrimPrefix(os.Getenv("DOCKET_URL"), "http://")
	connection := must(grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials())))
	client := documentv1.NewChangeServiceClient(connection)
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+os.Getenv("DOCKET_KEY"))
	output := must(os.OpenFile(os.Args[1], os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600))
	text := must(os.ReadFile(output.Name()))
	text = text[:bytes.LastIndexByte(text, '\n')+1] // A kill may have left the last line unfinished.
	must(0, output.Truncate(int64(len(text))))
	known := map[string]bool{}
	for line := range bytes.Lines(text) {
		var change struct{ ID string }
		must(0, json.Unmarshal(line, &change))
		known[change.ID] = true
	}
	for {
		// UNAVAILABLE is RESUME, a restart, or a network that was away.
		if err := follow(ctx, client, output, known); status.Code(err) != codes.Unavailable {
			log.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func follow(ctx context.Context, client documentv1.ChangeServiceClient, output *os.File, known map[string]bool) error {
	id, err := subscription(ctx, client, os.Getenv("DOCKET_WORKSPACE"))
	if err != nil {
		return err
	}
	stream, err := client.WatchChanges(ctx, &documentv1.WatchChangesRequest{SubscriptionId: &id})
	for err == nil {
		var answer *documentv1.WatchChangesResponse
		if answer, err = stream.Recv(); err != nil {
			return err
		}
		var lines bytes.Buffer
		for _, change := range answer.Changes {
			if !known[change.Id] {
				lines.Write(append(must(protojson.Marshal(change)), '\n'))
				known[change.Id] = true
			}
		}
		// First durable here, then acknowledged there: nothing is lost, and `known` drops what comes twice.
		must(output.Write(lines.Bytes()))
		must(0, output.Sync())
		place := &documentv1.AcknowledgeChangesRequest{SubscriptionId: id, Cursor: answer.Cursor}
		_, err = client.AcknowledgeChanges(ctx, place)
	}
	return err
}

// subscription finds the subscription of this name, or makes it. A workspace has at most 100.
func subscription(ctx context.Context, client documentv1.ChangeServiceClient, workspace string) (string, error) {
	request := &documentv1.ListSubscriptionsRequest{WorkspaceId: workspace, PageSize: 200}
	page, err := client.ListSubscriptions(ctx, request)
	for _, each := range page.GetSubscriptions() {
		if each.Name == name {
			return each.Id, nil
		}
	}
	if err != nil {
		return "", err
	}
	oldest := documentv1.WatchStart_WATCH_START_OLDEST
	wanted := &documentv1.CreateSubscriptionRequest{WorkspaceId: workspace, Name: name, Start: oldest}
	made, err := client.CreateSubscription(ctx, wanted)
	return made.GetSubscription().GetId(), err
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
