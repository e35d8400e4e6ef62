# syntax=docker/dockerfile:1
#
#   docker build -t undersign .
#   docker run --network container:my-app \
#     -v "$PWD/consumer-secret:/run/secrets/consumer-secret:ro" \
#     -e UNDERSIGN_UPSTREAM=https://a.isv1.apsdemo.org \
#     -e UNDERSIGN_CONSUMER_KEY=... \
#     -e UNDERSIGN_CONSUMER_SECRET_FILE=/run/secrets/consumer-secret undersign
#
# It listens on loopback, for a container that shares its network (a sidecar in a pod,
# or --network as above): whoever reaches the listener is signed for. To publish the port
# instead, keep it on the host's loopback and open it in the container alone:
#   -p 127.0.0.1:8080:8080 -e UNDERSIGN_LISTEN=0.0.0.0:8080 -e UNDERSIGN_ALLOW_NONLOCAL_LISTEN=true
#
# The secret must be readable by uid 65532 and by no other user.
#
# Images are pinned by tag. To pin them by digest, too, append what
#   docker buildx imagetools inspect gcr.io/distroless/cc-debian12:nonroot
# prints as its digest: FROM gcr.io/distroless/cc-debian12:nonroot@sha256:...

FROM rust:1.95-bookworm AS build
WORKDIR /build

# Dependencies, in a layer of their own: it is made anew only when the manifest or the
# lock file changes. Cargo wants a crate to build them for, so there is an empty one.
COPY Cargo.toml Cargo.lock ./
# The manifest names a benchmark, whose file must be there too, though nothing builds it.
RUN mkdir benches src \
    && echo '//! Empty.' > src/lib.rs \
    && printf '//! Empty.\nfn main() {}\n' > src/main.rs \
    && cp src/main.rs benches/signing.rs \
    && cargo build --release --locked \
    && rm -r src

# COPY keeps the files' own times. They are older than the build of the empty crate, which
# Cargo would take for up to date; hence touch.
COPY src src
RUN touch src/main.rs src/lib.rs \
    && cargo build --release --locked --bin undersign

# glibc of the same Debian, CA certificates and a user called nonroot; no shell.
FROM gcr.io/distroless/cc-debian12:nonroot

LABEL org.opencontainers.image.title="undersign" \
      org.opencontainers.image.description="A local reverse proxy that signs requests with OAuth 1.0a and forwards them unchanged" \
      org.opencontainers.image.licenses="Apache-2.0 OR MIT"

COPY --from=build /build/target/release/undersign /usr/local/bin/undersign

# Only what concerns the daemon as a whole: variables override a configuration file, and a
# proxy's own settings are for whoever runs the container.
ENV UNDERSIGN_ADMIN_LISTEN=127.0.0.1:9464 \
    UNDERSIGN_LOG_FORMAT=json

EXPOSE 8080
# By number, so that Kubernetes' runAsNonRoot can tell.
USER 65532:65532
STOPSIGNAL SIGTERM
# Asks the admin listener; there is no shell or curl to ask with.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/undersign", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/undersign"]
CMD ["run"]
