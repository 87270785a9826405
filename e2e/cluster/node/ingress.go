package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	networkinglisters "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// ingress is a reverse proxy that does what the Ingresses of its class say: by
// host and by the longest path, to the cluster address of a Service. Each
// request is looked up in what the watches have told last.
type ingress struct {
	class     string
	address   string
	client    kubernetes.Interface
	ingresses networkinglisters.IngressLister
	services  corelisters.ServiceLister
}

func newIngressCommand() *cobra.Command {
	var kubeconfig, listen string
	var c ingress
	command := &cobra.Command{
		Use:          "ingress",
		Short:        "lead HTTP requests to Services, as Ingresses say",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, args []string) error {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return err
			}
			if c.client, err = kubernetes.NewForConfig(config); err != nil {
				return err
			}
			if c.address, _, err = net.SplitHostPort(listen); err != nil {
				return err
			}
			return c.run(listen)
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "how to reach the API server")
	command.Flags().StringVar(&listen, "listen", "", "address and port")
	command.Flags().StringVar(&c.class, "class", "", "the IngressClass that is served")
	return command
}

func (c *ingress) run(listen string) error {
	factory := informers.NewSharedInformerFactory(c.client, 0)
	ingresses := factory.Networking().V1().Ingresses()
	c.ingresses = ingresses.Lister()
	c.services = factory.Core().V1().Services().Lister()
	tell := func(object any) {
		if err := c.publish(object.(*networking.Ingress)); err != nil {
			log.Print(err)
		}
	}
	handler := cache.ResourceEventHandlerFuncs{AddFunc: tell, UpdateFunc: func(_, object any) { tell(object) }}
	if _, err := ingresses.Informer().AddEventHandler(handler); err != nil {
		return err
	}
	stop := context.Background().Done()
	factory.Start(stop)
	factory.WaitForCacheSync(stop)
	server := &http.Server{Addr: listen, Handler: c, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

func (c *ingress) serves(i *networking.Ingress) bool {
	return i.Spec.IngressClassName != nil && *i.Spec.IngressClassName == c.class
}

// publish writes the address into the Ingress, which is how it is known that somebody serves it.
func (c *ingress) publish(i *networking.Ingress) error {
	known := i.Status.LoadBalancer.Ingress
	if !c.serves(i) || len(known) == 1 && known[0].IP == c.address {
		return nil
	}
	i = i.DeepCopy()
	i.Status.LoadBalancer.Ingress = []networking.IngressLoadBalancerIngress{{IP: c.address}}
	_, err := c.client.NetworkingV1().Ingresses(i.Namespace).UpdateStatus(context.Background(), i, meta.UpdateOptions{})
	return err
}

func (c *ingress) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	target, err := c.target(request.Host, request.URL.Path)
	if err != nil {
		http.Error(writer, err.Error(), http.StatusNotFound)
		return
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		FlushInterval: -1,
	}
	proxy.ServeHTTP(writer, request)
}

// target is the Service that a request is for.
func (c *ingress) target(host, path string) (*url.URL, error) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	all, err := c.ingresses.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	var namespace string
	var best *networking.HTTPIngressPath
	for _, i := range all {
		if !c.serves(i) {
			continue
		}
		for _, rule := range i.Spec.Rules {
			if rule.HTTP == nil || rule.Host != host {
				continue
			}
			for _, candidate := range rule.HTTP.Paths {
				if matches(candidate, path) && (best == nil || len(candidate.Path) > len(best.Path)) {
					best, namespace = &candidate, i.Namespace
				}
			}
		}
	}
	if best == nil || best.Backend.Service == nil {
		return nil, fmt.Errorf("no Ingress of class %s leads %s%s anywhere", c.class, host, path)
	}
	service, err := c.services.Services(namespace).Get(best.Backend.Service.Name)
	if err != nil {
		return nil, err
	}
	for _, port := range service.Spec.Ports {
		if isPort(port, best.Backend.Service.Port) {
			return url.Parse(fmt.Sprintf("http://%s:%d", service.Spec.ClusterIP, port.Port))
		}
	}
	return nil, fmt.Errorf("Service %s/%s has no such port", namespace, service.Name)
}

func isPort(port core.ServicePort, wanted networking.ServiceBackendPort) bool {
	if wanted.Name != "" {
		return port.Name == wanted.Name
	}
	return port.Port == wanted.Number
}

// matches: Prefix compares whole elements of the path.
func matches(candidate networking.HTTPIngressPath, path string) bool {
	if candidate.PathType != nil && *candidate.PathType == networking.PathTypeExact {
		return path == candidate.Path
	}
	prefix := strings.TrimSuffix(candidate.Path, "/")
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}
