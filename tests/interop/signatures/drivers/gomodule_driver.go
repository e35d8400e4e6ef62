// Go's github.com/gomodule/oauth1.
package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"regexp"

	"github.com/gomodule/oauth1/oauth"
)

type request struct {
	ID              string            `json:"id"`
	Method          string            `json:"method"`
	URL             string            `json:"url"`
	Form            string            `json:"form"`
	ConsumerKey     string            `json:"consumer_key"`
	ConsumerSecret  string            `json:"consumer_secret"`
	Token           *string           `json:"token"`
	TokenSecret     string            `json:"token_secret"`
	SignatureMethod string            `json:"signature_method"`
	Timestamp       string            `json:"timestamp"`
	Nonce           string            `json:"nonce"`
	Version         bool              `json:"version"`
	Extra           map[string]string `json:"extra"`
}

type reply struct {
	ID          string `json:"id"`
	BaseString  string `json:"base_string,omitempty"`
	Signature   string `json:"signature,omitempty"`
	Unsupported string `json:"unsupported,omitempty"`
	Refusal     string `json:"refusal,omitempty"`
}

var methods = map[string]oauth.SignatureMethod{
	"HMAC-SHA1": oauth.HMACSHA1,
	"PLAINTEXT": oauth.PLAINTEXT,
}

var signature = regexp.MustCompile(`oauth_signature="([^"]*)"`)

func answer(r request) reply {
	method, known := methods[r.SignatureMethod]
	if !known {
		return reply{ID: r.ID, Unsupported: r.SignatureMethod}
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return reply{ID: r.ID, Refusal: err.Error()}
	}
	form, err := url.ParseQuery(r.Form)
	if err != nil {
		return reply{ID: r.ID, Refusal: err.Error()}
	}
	parameters := map[string]string{
		"oauth_consumer_key": r.ConsumerKey, "oauth_signature_method": r.SignatureMethod,
		"oauth_timestamp": r.Timestamp, "oauth_nonce": r.Nonce,
	}
	var token *oauth.Credentials
	if r.Token != nil {
		token = &oauth.Credentials{Token: *r.Token, Secret: r.TokenSecret}
		parameters["oauth_token"] = *r.Token
	}
	if r.Version {
		parameters["oauth_version"] = "1.0"
	}
	for name, value := range r.Extra {
		parameters[name] = value
	}
	oauth.Stamp(parameters)
	client := oauth.Client{
		Credentials:     oauth.Credentials{Token: r.ConsumerKey, Secret: r.ConsumerSecret},
		SignatureMethod: method,
	}
	header := http.Header{}
	if err := client.SetAuthorizationHeader(header, token, r.Method, u, form); err != nil {
		return reply{ID: r.ID, Refusal: err.Error()}
	}
	signed, err := url.PathUnescape(signature.FindStringSubmatch(header.Get("Authorization"))[1])
	if err != nil {
		return reply{ID: r.ID, Refusal: err.Error()}
	}
	baseString := oauth.BaseString(r.Method, u, form, parameters)
	return reply{ID: r.ID, BaseString: baseString, Signature: signed}
}

func main() {
	lines, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	lines.Buffer(nil, 1<<20)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			panic(err)
		}
		if err := out.Encode(answer(r)); err != nil {
			panic(err)
		}
	}
}
