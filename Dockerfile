# The box image: /opt/ay (the agent's own runtime, usable on any image) and what a Python repository's tests need.
# Build it with scripts/build-image, which finds or makes the base and gives the image its name.
ARG BASE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM ${BASE} AS runtime
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends patchelf \
 && rm -rf /var/lib/apt/lists/*
# A bundle of certificates is copied only where the build needs one, so it comes beside a file that is always there.
COPY ay_bot/agent/runtime.lock build/certificates.pem* /build/
RUN python3 -m venv /build/venv \
 && if [ -f /build/certificates.pem ]; then export PIP_CERT=/build/certificates.pem; fi \
 && /build/venv/bin/pip install --disable-pip-version-check --no-cache-dir --no-compile --only-binary :all: \
      --require-hashes --target /opt/ay/packages --requirement /build/runtime.lock
COPY scripts/make_runtime.py /build/
RUN python3 /build/make_runtime.py /opt/ay

FROM ${BASE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends git procps ripgrep \
 && rm -rf /var/lib/apt/lists/*
COPY ay_bot/agent/toolbox.lock build/certificates.pem* /tmp/build/
RUN python3 -m venv /opt/python \
 && if [ -f /tmp/build/certificates.pem ]; then export PIP_CERT=/tmp/build/certificates.pem; fi \
 && /opt/python/bin/pip install --disable-pip-version-check --no-cache-dir --only-binary :all: \
      --require-hashes --requirement /tmp/build/toolbox.lock \
 && rm -rf /tmp/build
ENV PATH=/opt/python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
COPY --from=runtime /opt/ay /opt/ay
LABEL ay.image=box
# The agent's sources come last: they change often, and everything above is kept.
COPY ay_bot/__init__.py ay_bot/errors.py /opt/ay/packages/ay_bot/
COPY ay_bot/protocol /opt/ay/packages/ay_bot/protocol
COPY ay_bot/agent /opt/ay/packages/ay_bot/agent
RUN /opt/ay/bin/python3 -I -S -m compileall -q --invalidation-mode unchecked-hash /opt/ay/packages/ay_bot
