package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync"
	"time"

	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/model"
	discovery "istio.io/istio/pilot/pkg/xds"
	v3 "istio.io/istio/pilot/pkg/xds/v3"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config"
)

// states brings the running istiod from one whole state of Istio's objects to the next.
type states struct {
	server  *xds.FakeDiscoveryServer
	mutex   sync.Mutex
	present map[string]config.Config
}

func newStates(server *xds.FakeDiscoveryServer, text string) (*states, error) {
	present, err := parse(text)
	if err != nil {
		return nil, err
	}
	return &states{server: server, present: present}, nil
}

func parse(text string) (map[string]config.Config, error) {
	objects, foreign, err := crd.ParseInputs(text)
	if err != nil {
		return nil, err
	}
	if len(foreign) > 0 {
		return nil, fmt.Errorf("%d objects are not Istio's", len(foreign))
	}
	byName := map[string]config.Config{}
	for _, object := range objects {
		if object.Namespace == "" {
			object.Namespace = "default"
		}
		byName[object.GroupVersionKind.Kind+" "+object.Namespace+"/"+object.Name] = object
	}
	return byName, nil
}

type applied struct {
	// Changed names what was created (+), updated (~) and deleted (-).
	Changed []string `json:"changed"`
	// Acknowledged is false when a proxy refused the new state, or did not answer in time.
	Acknowledged bool `json:"acknowledged"`
}

func (s *states) apply(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	wanted, err := parse(string(text))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	changed, err := s.change(wanted)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	since := s.push()
	acknowledged := false
	for end := time.Now().Add(20 * time.Second); !acknowledged && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		acknowledged = everybodyHas(s.server.Discovery, since)
	}
	_ = json.NewEncoder(w).Encode(applied{Changed: changed, Acknowledged: acknowledged})
}

func (s *states) change(wanted map[string]config.Config) ([]string, error) {
	changed := []string{}
	store := s.server.Store()
	for name, object := range wanted {
		old, known := s.present[name]
		object.CreationTimestamp = time.Now()
		switch {
		case !known:
			if _, err := store.Create(object); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			changed = append(changed, "+"+name)
		case !same(old, object):
			if _, err := store.Update(object); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			changed = append(changed, "~"+name)
		}
	}
	for name, object := range s.present {
		if _, kept := wanted[name]; !kept {
			if err := store.Delete(object.GroupVersionKind, object.Name, object.Namespace, nil); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			changed = append(changed, "-"+name)
		}
	}
	s.present = wanted
	return changed, nil
}

func same(a, b config.Config) bool {
	one, err := config.ToJSON(a.Spec)
	if err != nil {
		return false
	}
	other, err := config.ToJSON(b.Spec)
	if err != nil {
		return false
	}
	return string(one) == string(other) && reflect.DeepEqual(a.Labels, b.Labels) && reflect.DeepEqual(a.Annotations, b.Annotations)
}

// push lets istiod's own handlers of the changes come to rest, and sends everything to everybody once more, so that there is one
// moment since which each proxy's answer counts.
func (s *states) push() time.Time {
	for calm, last := 0, int64(-1); calm < 10; time.Sleep(2 * time.Millisecond) {
		in := s.server.Discovery.InboundUpdates.Load()
		if in == last && s.server.Discovery.CommittedUpdates.Load() >= in {
			calm++
		} else {
			calm, last = 0, in
		}
	}
	since := time.Now()
	s.server.Discovery.ConfigUpdate(&model.PushRequest{Forced: true, Reason: model.NewReasonStats(model.DebugTrigger)})
	return since
}

// everybodyHas says whether each connected proxy has taken clusters, listeners and routes that were sent after a moment.
func everybodyHas(server *discovery.DiscoveryServer, since time.Time) bool {
	for _, connection := range server.AllClients() {
		proxy := connection.Proxy()
		proxy.RLock()
		for _, kind := range []string{v3.ClusterType, v3.ListenerType, v3.RouteType} {
			watched := proxy.WatchedResources[kind]
			if watched == nil {
				continue
			}
			if watched.LastSendTime.Before(since) || watched.NonceSent != watched.NonceAcked || watched.LastError != "" {
				proxy.RUnlock()
				return false
			}
		}
		proxy.RUnlock()
	}
	return true
}
