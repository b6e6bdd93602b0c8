# One image for the controller, the steps of the pipelines and the command line: a static binary, CA certificates,
# nothing else. The release workflow gives both base images by digest.
ARG BUILD=rust:1.95-alpine
ARG BASE=gcr.io/distroless/static-debian12:nonroot

FROM ${BUILD} AS build
# For the C parts of ring and zstd.
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --package arc

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="arc" \
      org.opencontainers.image.description="The artifact conduit: controller, pipeline steps and command line." \
      org.opencontainers.image.source="https://github.com/opendefensecloud/arc" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /src/target/dist/arc /usr/local/bin/arc
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/arc"]
