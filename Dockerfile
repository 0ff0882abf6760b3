# Two images. `--target box`: /opt/ay (the agent's own runtime, usable on any image) and what a Python repository's
# tests need; scripts/build-image finds or makes the base and gives it its name. The default target, `bot`: the host's
# side with all that it needs, which runs as the Action's container; scripts/build-bot-image does the same for it.
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

FROM ${BASE} AS box
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

FROM ${BASE} AS bot-packages
COPY requirements/all.txt build/certificates.pem* /build/
RUN python3 -m venv /build/installer \
 && python3 -m venv --without-pip /opt/bot \
 && if [ -f /build/certificates.pem ]; then export PIP_CERT=/build/certificates.pem; fi \
 && /build/installer/bin/pip --python /opt/bot/bin/python3 install --disable-pip-version-check --no-cache-dir \
      --only-binary :all: --require-hashes --requirement /build/all.txt

FROM ${BASE} AS bot
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* \
 && rm -f /usr/lib/python3*/sitecustomize.py
COPY --from=bot-packages /opt/bot /opt/bot
LABEL ay.image=bot
# What the box image is made of lies beside, with the base's name, for an engine that lacks it.
ARG BASE
RUN mkdir -p /opt/bot/source && echo "$BASE" >/opt/bot/source/base
COPY Dockerfile /opt/bot/source/
COPY scripts/check_start_files.py scripts/ay-bot-in-image scripts/make_runtime.py /opt/bot/source/scripts/
COPY ay_bot /opt/bot/source/ay_bot
# No file may run code at the start of every Python, whoever put it there: a release of litellm once brought one.
RUN cd /opt/bot/lib/python3*/site-packages \
 && ln -s /opt/bot/source/ay_bot ay_bot \
 && ln -s /opt/bot/source/scripts/ay-bot-in-image /usr/local/bin/ay-bot \
 && /opt/bot/bin/python3 -I -S /opt/bot/source/scripts/check_start_files.py \
 && /opt/bot/bin/python3 -I -m compileall -q --invalidation-mode unchecked-hash /opt/bot/source/ay_bot
ENV LANG=C.UTF-8
ENTRYPOINT ["/usr/local/bin/ay-bot", "action"]
