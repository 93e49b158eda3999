# syntax=docker/dockerfile:1
# One image for every service: the command says which (`features fraud`, `scorer fraud`, `topics apply fraud`).

FROM rust:1.95-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ libssl-dev pkg-config python3 python3-pip zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# The wheel first: it does not change with the code.
COPY setup setup
RUN sh setup/onnxruntime.sh /opt/onnxruntime
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    CFLAGS=-O2 cargo build --release --locked -p millrace \
    && cp target/release/millrace /opt/millrace

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends bash ca-certificates libssl3 libstdc++6 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin millrace
COPY --from=build /opt/onnxruntime /opt/onnxruntime
COPY --from=build /opt/millrace /usr/local/bin/millrace
COPY topics /srv/topics
COPY schemas /srv/schemas
WORKDIR /srv
ENV ORT_DYLIB_PATH=/opt/onnxruntime/libonnxruntime.so
USER millrace
# The admin port of whatever service runs: /live, /ready, /metrics. bash speaks enough HTTP to ask.
EXPOSE 9464
HEALTHCHECK --interval=5s --timeout=3s --start-period=120s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/9464 && printf 'GET /ready HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["millrace"]
CMD ["--help"]
