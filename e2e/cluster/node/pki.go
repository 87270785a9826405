package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/keyutil"

	certutil "k8s.io/client-go/util/cert"
)

// lifetime of every certificate. The cluster is for tests: they are made anew
// with each new cluster.
const lifetime = 365 * 24 * time.Hour

// identity is whom a certificate speaks for.
type identity struct {
	file   string
	name   string
	groups []string
	// hosts is empty for a client.
	hosts []string
}

type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

// pki writes all keys, certificates and kubeconfigs of a cluster into a folder.
type pki struct {
	folder    string
	server    string
	node      string
	addresses []string
}

func newPKICommand() *cobra.Command {
	var p pki
	command := &cobra.Command{
		Use:          "pki",
		Short:        "make a cluster's keys, certificates and kubeconfigs",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(command *cobra.Command, args []string) error { return p.write() },
	}
	flags := command.Flags()
	flags.StringVar(&p.folder, "folder", "", "where to write them")
	flags.StringVar(&p.server, "server", "", "the API server's URL")
	flags.StringVar(&p.node, "node", "", "the node's name")
	flags.StringSliceVar(&p.addresses, "addresses", nil, "the API server's addresses")
	return command
}

func (p pki) write() error {
	if err := os.MkdirAll(p.folder, 0o700); err != nil {
		return err
	}
	if err := p.writeKubernetes(); err != nil {
		return err
	}
	if err := p.writeEtcd(); err != nil {
		return err
	}
	if err := p.writeFrontProxy(); err != nil {
		return err
	}
	return p.writeKey("service-accounts")
}

func (p pki) writeKubernetes() error {
	ca, err := p.newAuthority("ca")
	if err != nil {
		return err
	}
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	for _, one := range []identity{
		{file: "apiserver", name: "kube-apiserver", hosts: append(names, p.addresses...)},
		{file: "kubelet-server", name: p.node, hosts: append([]string{p.node}, p.addresses...)},
		{file: "kubelet-client", name: "kube-apiserver-kubelet-client", groups: []string{"system:masters"}},
	} {
		if _, _, err := p.issue(ca, one); err != nil {
			return err
		}
	}
	for _, user := range []identity{
		{file: "admin", name: "admin", groups: []string{"system:masters"}},
		{file: "kubelet", name: "system:node:" + p.node, groups: []string{"system:nodes"}},
		{file: "kube-controller-manager", name: "system:kube-controller-manager"},
		{file: "kube-scheduler", name: "system:kube-scheduler"},
		{file: "kube-proxy", name: "system:kube-proxy"},
		{file: "coredns", name: "e2e:coredns"},
		{file: "provisioner", name: "e2e:provisioner"},
	} {
		if err := p.writeKubeconfig(ca, user); err != nil {
			return err
		}
	}
	return nil
}

// writeEtcd gives etcd an authority of its own: it lets in whoever has a
// certificate from it, and the cluster's authority signs certificates for
// people that shall not read etcd.
func (p pki) writeEtcd() error {
	return p.writeSeparate("etcd-ca",
		identity{file: "etcd-server", name: "etcd", hosts: []string{"localhost", "127.0.0.1"}},
		identity{file: "etcd-client", name: "kube-apiserver"},
	)
}

// writeFrontProxy is what extension API servers know the API server by. Whoever
// has a certificate from this authority may speak for any user.
func (p pki) writeFrontProxy() error {
	return p.writeSeparate("front-proxy-ca", identity{file: "front-proxy", name: "front-proxy"})
}

func (p pki) writeSeparate(authorityName string, identities ...identity) error {
	ca, err := p.newAuthority(authorityName)
	if err != nil {
		return err
	}
	for _, one := range identities {
		if _, _, err := p.issue(ca, one); err != nil {
			return err
		}
	}
	return nil
}

func (p pki) newAuthority(name string) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	certificate, err := certutil.NewSelfSignedCACert(certutil.Config{CommonName: "e2e-" + name}, key)
	if err != nil {
		return authority{}, err
	}
	if _, _, err := p.save(name, key, certificate.Raw); err != nil {
		return authority{}, err
	}
	return authority{key: key, certificate: certificate}, nil
}

// issue makes and saves a key and its certificate, and returns both in PEM.
func (p pki) issue(ca authority, who identity) (key, certificate []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: who.name, Organization: who.groups},
		// A little earlier than now, for clocks that are set back.
		NotBefore:   time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(lifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if len(who.hosts) > 0 {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	for _, host := range who.hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, private.Public(), ca.key)
	if err != nil {
		return nil, nil, err
	}
	return p.save(who.file, private, raw)
}

func (p pki) save(name string, private *ecdsa.PrivateKey, raw []byte) (key, certificate []byte, err error) {
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, nil, err
	}
	certificate, err = certutil.EncodeCertificates(parsed)
	if err != nil {
		return nil, nil, err
	}
	key, err = keyutil.MarshalPrivateKeyToPEM(private)
	if err != nil {
		return nil, nil, err
	}
	if err := keyutil.WriteKey(filepath.Join(p.folder, name+".key"), key); err != nil {
		return nil, nil, err
	}
	return key, certificate, certutil.WriteCert(filepath.Join(p.folder, name+".crt"), certificate)
}

// writeKey makes a key that needs no certificate.
func (p pki) writeKey(name string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	key, err := keyutil.MarshalPrivateKeyToPEM(private)
	if err != nil {
		return err
	}
	return keyutil.WriteKey(filepath.Join(p.folder, name+".key"), key)
}

func (p pki) writeKubeconfig(ca authority, user identity) error {
	key, certificate, err := p.issue(ca, user)
	if err != nil {
		return err
	}
	root, err := certutil.EncodeCertificates(ca.certificate)
	if err != nil {
		return err
	}
	config := api.NewConfig()
	config.Clusters["e2e"] = &api.Cluster{Server: p.server, CertificateAuthorityData: root}
	config.AuthInfos[user.file] = &api.AuthInfo{ClientKeyData: key, ClientCertificateData: certificate}
	config.Contexts["e2e"] = &api.Context{Cluster: "e2e", AuthInfo: user.file}
	config.CurrentContext = "e2e"
	return clientcmd.WriteToFile(*config, filepath.Join(p.folder, user.file+".kubeconfig"))
}
