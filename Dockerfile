# The image of onsale: one binary on a small Debian. The container downloads nothing at run time.

FROM rust:1.95-slim-bookworm AS build
# For scripts/notices.py.
RUN apt-get update && apt-get install -y --no-install-recommends python3
WORKDIR /onsale
COPY . .
# The caches outlive the build, so that only changed crates are compiled again. Without its default features,
# the binary has no `onsale dev` and none of its code.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/onsale/target \
    cargo build --locked --release --no-default-features --bin onsale \
    && cp target/release/onsale /usr/local/bin/onsale
# The licences of everything in the binary. Fails if a package has none.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    scripts/notices.py --licences /usr/local/share/third-party.txt --sbom /usr/local/share/onsale.cdx.json

FROM debian:bookworm-slim
# CA certificates, to fetch an identity provider's keys over https (ONSALE_JWKS_URL).
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
# A numeric user, so that an orchestrator can check that it is not root.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin onsale
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/onsale/
COPY web/vendor/uplot/LICENSE /usr/share/doc/onsale/uPlot-LICENSE
COPY --from=build /usr/local/share/third-party.txt /usr/local/share/onsale.cdx.json /usr/share/doc/onsale/
COPY --from=build /usr/local/bin/onsale /usr/local/bin/onsale
USER 10001
ENV ONSALE_LISTEN=0.0.0.0:8080 ONSALE_LOG_FORMAT=json
EXPOSE 8080
# On SIGTERM the service drains: requests in progress are finished.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["onsale", "health"]
ENTRYPOINT ["onsale"]
CMD ["serve"]
