// Command oidc is an OpenID Connect provider with one client and one user, for the tests of logins: the provider of
// github.com/zitadel/oidc, a certified library, with the login form and the storage of its example.
//
// It prints the address of its discovery document, and serves until it is killed.
package main

import (
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"golang.org/x/text/language"
)

// users is the provider's directory: whoever it is asked for, there is one.
type users struct{ user storage.User }

func (u users) GetUserByID(id string) *storage.User {
	if id != u.user.ID {
		return nil
	}
	return &u.user
}

func (u users) GetUserByUsername(name string) *storage.User {
	if name != u.user.Username {
		return nil
	}
	return &u.user
}

func (u users) ExampleClientID() string {
	return storage.ServiceUserID
}

func main() {
	user := storage.User{ID: "1", EmailVerified: true, PreferredLanguage: language.English}
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on, which is the issuer's as well")
	client := flag.String("client", "", "id of the client")
	secret := flag.String("secret", "", "secret of the client")
	redirect := flag.String("redirect", "", "redirect URI of the client")
	flag.StringVar(&user.Username, "user", "", "name of the user")
	flag.StringVar(&user.Password, "password", "", "password of the user")
	flag.StringVar(&user.Email, "email", "", "e-mail address of the user")
	flag.Parse()

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	issuer := fmt.Sprintf("http://%s/", listener.Addr())
	storage.RegisterClients(storage.WebClient(*client, *secret, *redirect))
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	handler := exampleop.SetupServer(issuer, storage.NewStorage(users{user}), logger, false)
	fmt.Println(issuer + ".well-known/openid-configuration")
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}
