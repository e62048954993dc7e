// The test cases of gRPC's own interoperability client (google.golang.org/grpc/interop), spoken over the mesh's mTLS. The
// client of that module has no flag for a certificate of its own, hence this program; the cases themselves are the module's.
//
// It runs the cases that it is given, one after the other, and says a line for each that passed. The module ends the
// process where a case fails, so the case after the last line said is the one that failed.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

var (
	server      = flag.String("server", "127.0.0.1:7102", "Address of the server.")
	certificate = flag.String("certificate", "", "PEM file with the client's certificate. Without it the connection is plaintext, as behind a sidecar.")
	key         = flag.String("key", "", "PEM file with the certificate's key.")
	authority   = flag.String("authority", "", "PEM file with the mesh's authority.")
	identity    = flag.String("identity", "", "SPIFFE id that the server must have.")
	limit       = flag.Duration("limit", 20*time.Second, "The longest time of one case.")
)

type testCase func(ctx context.Context, client testgrpc.TestServiceClient, conn *grpc.ClientConn, options ...grpc.CallOption)

// plain adapts the module's functions that need the typed client only.
func plain(do func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption)) testCase {
	return func(ctx context.Context, client testgrpc.TestServiceClient, _ *grpc.ClientConn, options ...grpc.CallOption) {
		do(ctx, client, options...)
	}
}

var cases = map[string]testCase{
	"empty_unary":                 plain(interop.DoEmptyUnaryCall),
	"large_unary":                 plain(interop.DoLargeUnaryCall),
	"client_streaming":            plain(interop.DoClientStreaming),
	"server_streaming":            plain(interop.DoServerStreaming),
	"ping_pong":                   plain(interop.DoPingPong),
	"empty_stream":                plain(interop.DoEmptyStream),
	"timeout_on_sleeping_server":  plain(interop.DoTimeoutOnSleepingServer),
	"cancel_after_begin":          plain(interop.DoCancelAfterBegin),
	"cancel_after_first_response": plain(interop.DoCancelAfterFirstResponse),
	"custom_metadata":             plain(interop.DoCustomMetadata),
	"status_code_and_message":     plain(interop.DoStatusCodeAndMessage),
	"special_status_message":      plain(interop.DoSpecialStatusMessage),
	"unimplemented_method": func(ctx context.Context, _ testgrpc.TestServiceClient, conn *grpc.ClientConn, _ ...grpc.CallOption) {
		interop.DoUnimplementedMethod(ctx, conn)
	},
	"unimplemented_service": func(ctx context.Context, _ testgrpc.TestServiceClient, conn *grpc.ClientConn, _ ...grpc.CallOption) {
		interop.DoUnimplementedService(ctx, testgrpc.NewUnimplementedServiceClient(conn))
	},
}

func main() {
	flag.Parse()
	// "name" or "name+gzip", which compresses what the client sends.
	for _, name := range flag.Args() {
		base, compressed := strings.CutSuffix(name, "+gzip")
		run, known := cases[base]
		if !known {
			log.Fatalf("There is no test case %q.", name)
		}
		if err := runCase(run, compressed); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		fmt.Printf("passed %s\n", name)
	}
}

func runCase(run testCase, compressed bool) error {
	transport, err := transportCredentials()
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient(*server, grpc.WithTransportCredentials(transport))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), *limit)
	defer cancel()
	var options []grpc.CallOption
	if compressed {
		options = append(options, grpc.UseCompressor(gzip.Name))
	}
	run(ctx, testgrpc.NewTestServiceClient(conn), conn, options...)
	return nil
}

// transportCredentials are those of a workload of the mesh: names are SPIFFE ids here, not host names.
func transportCredentials() (credentials.TransportCredentials, error) {
	if *certificate == "" {
		return insecure.NewCredentials(), nil
	}
	pair, err := tls.LoadX509KeyPair(*certificate, *key)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(*authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("the authority's file holds no certificate")
	}
	return credentials.NewTLS(&tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{pair},
		// Go's own check would compare host names; the chain and the SPIFFE id are checked below.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			leaf := state.PeerCertificates[0]
			intermediates := x509.NewCertPool()
			for _, each := range state.PeerCertificates[1:] {
				intermediates.AddCert(each)
			}
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates}); err != nil {
				return err
			}
			if len(leaf.URIs) != 1 || leaf.URIs[0].String() != *identity {
				return fmt.Errorf("the server is %v and not %s", leaf.URIs, *identity)
			}
			return nil
		},
	}), nil
}
