package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/security"
	"istio.io/istio/pkg/test"
	"istio.io/istio/security/pkg/server/ca/authenticate"
)

// runIstiod serves the production configuration generators of istiod to proxies that show a certificate of the mesh. The Kubernetes
// objects stay as they are read at the start; Istio's own are replaced through POST /apply.
func runIstiod(args []string) error {
	flags := flag.NewFlagSet("istiod", flag.ContinueOnError)
	kube := flags.String("kubernetes", "", "file with the Kubernetes and Gateway API objects")
	istio := flags.String("istio", "", "file with Istio's objects, the first desired state")
	meshConfig := flags.String("mesh", "", "file with the mesh config")
	discovery := flags.String("discovery", "", "address that proxies connect to")
	admin := flags.String("admin", "", "address of /ready, /apply and istiod's debug pages")
	certificates := flags.String("certificates", "", "folder with cert-chain.pem, key.pem and root-cert.pem of istiod")
	if err := flags.Parse(args); err != nil {
		return err
	}
	objects, err := os.ReadFile(*kube)
	if err != nil {
		return err
	}
	desired, err := os.ReadFile(*istio)
	if err != nil {
		return err
	}
	config, err := mesh.ReadMeshConfig(*meshConfig)
	if err != nil {
		return err
	}
	credentials, err := serverCredentials(*certificates)
	if err != nil {
		return err
	}
	// The generators are wired together by Istio's own fake server, which wants somebody to report failures to.
	return test.Wrap(func(t test.Failer) {
		server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
			MeshConfig:                 config,
			KubernetesObjectString:     string(objects),
			ConfigString:               string(desired),
			DisableSecretAuthorization: true,
		})
		// With an identity that is verified, as at port 15012 of a cluster's istiod: a proxy gets the configuration and the
		// certificates of its own service account only.
		server.Discovery.Authenticators = []security.Authenticator{&authenticate.ClientCertAuthenticator{}}
		rpc := grpc.NewServer(grpc.Creds(credentials))
		server.Discovery.Register(rpc)
		listener, err := net.Listen("tcp", *discovery)
		if err != nil {
			t.Fatal(err)
		}
		go func() { t.Fatal(rpc.Serve(listener)) }()
		states, err := newStates(server, string(desired))
		if err != nil {
			t.Fatal(err)
		}
		pages := http.NewServeMux()
		pages.Handle("/", server.DiscoveryDebug)
		pages.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, server.Discovery.IsServerReady())
		})
		pages.HandleFunc("POST /apply", states.apply)
		t.Fatal(http.ListenAndServe(*admin, pages))
	})
}

func serverCredentials(folder string) (credentials.TransportCredentials, error) {
	root, err := os.ReadFile(filepath.Join(folder, "root-cert.pem"))
	if err != nil {
		return nil, err
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(root) {
		return nil, errors.New("root-cert.pem holds no certificate")
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(folder, "cert-chain.pem"), filepath.Join(folder, "key.pem"))
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{own},
		ClientCAs:    authorities,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		MinVersion:   tls.VersionTLS12,
	}), nil
}
