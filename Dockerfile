# One image for the steps of a pipeline and for the command line: the binary, its C library, nothing else.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --package arc

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/dist/arc /usr/local/bin/arc
USER 65532:65532
ENTRYPOINT ["arc"]
