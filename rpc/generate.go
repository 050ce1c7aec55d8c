package rpc

// The generated code in wnetv1/ is kept with the source, so that building wnet needs no protoc. After a change of wnet.proto run
// `go generate ./rpc` with protoc (Debian: protobuf-compiler, libprotobuf-dev) in PATH, and the two plug-ins in $(go env GOPATH)/bin:
//
//	go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
//	go install connectrpc.com/connect/cmd/protoc-gen-connect-go@v1.21.1

//go:generate sh -c "cd wnetv1 && PATH=$PATH:$(go env GOPATH)/bin protoc --go_out=. --go_opt=paths=source_relative --connect-go_out=. --connect-go_opt=paths=source_relative,package_suffix,simple wnet.proto"
