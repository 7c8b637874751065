// Compares the files of a FileDescriptorSet, which reflection serves, with the published packages that declare the same
// files, and builds descriptors of all of them as clients of reflection do.
package main

import (
	"fmt"
	"log"
	"os"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

func main() {
	bytes, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var ours descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(bytes, &ours); err != nil {
		log.Fatal(err)
	}
	if _, err := protodesc.NewFiles(&ours); err != nil {
		log.Fatal(err)
	}
	files := map[string]*descriptorpb.FileDescriptorProto{}
	for _, file := range ours.GetFile() {
		files[file.GetName()] = file
	}
	for _, published := range []protoreflect.FileDescriptor{
		errdetails.File_google_rpc_error_details_proto,
		statuspb.File_google_rpc_status_proto,
		healthpb.File_grpc_health_v1_health_proto,
	} {
		compare(files[published.Path()], protodesc.ToFileDescriptorProto(published))
	}
}

func compare(ours, theirs *descriptorpb.FileDescriptorProto) {
	if ours == nil {
		fmt.Printf("%s: missing\n", theirs.GetName())
		return
	}
	// Comments and places in the source, which the published packages leave out.
	ours.SourceCodeInfo = nil
	if proto.Equal(ours, theirs) {
		fmt.Printf("%s: the same\n", theirs.GetName())
		return
	}
	fmt.Printf("%s: different\nours: %s\npublished: %s\n", theirs.GetName(), prototext.Format(ours), prototext.Format(theirs))
}
