// Command web is what a test of a cluster's network runs in pods: `web serve` answers every request
// at port 8080 with the name of its host, and `web get URL` prints what is answered there.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	attempts = 60
	pause    = time.Second
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "serve":
		host, err := os.Hostname()
		if err != nil {
			return err
		}
		return http.ListenAndServe(":8080", http.HandlerFunc(
			func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprintln(answer, host) },
		))
	case len(arguments) == 2 && arguments[0] == "get":
		return get(arguments[1])
	}
	return fmt.Errorf("usage: web serve, or web get URL")
}

// get asks again while names and routes are new.
func get(url string) (err error) {
	for range attempts {
		var answer *http.Response
		if answer, err = http.Get(url); err == nil {
			defer answer.Body.Close()
			_, err = io.Copy(os.Stdout, answer.Body)
			return err
		}
		time.Sleep(pause)
	}
	return err
}
