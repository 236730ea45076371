# syntax=docker/dockerfile:1
# docker build -t pressmark . && docker run --init -p 127.0.0.1:8080:8080 -v pressmark:/data pressmark
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-trixie AS build
RUN python -m venv /opt/pressmark
WORKDIR /src
COPY .ci/lock.txt .ci/lock.txt
COPY pyproject.toml README.md LICENSE ./
COPY archive archive
COPY crawler crawler
COPY schedules schedules
RUN /opt/pressmark/bin/python -m pip install --no-cache-dir --disable-pip-version-check --constraint .ci/lock.txt .

FROM python:${PYTHON}-slim-trixie
LABEL org.opencontainers.image.title="Pressmark" \
      org.opencontainers.image.source="https://github.com/pressmark/pressmark" \
      org.opencontainers.image.licenses="Apache-2.0"
# A fixed number, so that a folder of the host can be given to this user.
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin pressmark \
    && install --directory --owner=pressmark --group=pressmark --mode=0750 /data
COPY --from=build /opt/pressmark /opt/pressmark
ENV PATH=/opt/pressmark/bin:/usr/local/bin:/usr/bin:/bin \
    PRESSMARK_HOME=/data
USER pressmark
WORKDIR /data
VOLUME /data
EXPOSE 8080
# Pressmark gives each part 15 seconds to answer; the longest start is the migration of a large database.
HEALTHCHECK --interval=60s --timeout=25s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8080, timeout=20); c.request('GET', '/health'); raise SystemExit(c.getresponse().status != 200)"]
# On SIGTERM the daemon ends its jobs in order, within 30 seconds: docker stop --time 60.
ENTRYPOINT ["pressmark"]
CMD ["up", "--host", "0.0.0.0", "--port", "8080"]
