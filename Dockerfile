# The operator's image: the locked packages and a wheel of this project on a Python that somebody
# else maintains. Nothing in it is of one architecture; the wheels of the locks are there for amd64
# and arm64.
#
#   docker build --tag cirahub-operator .
#   make image             the same where there is no Docker daemon
#
# What pip needs here to reach its index comes from outside and stays there:
#   docker build --secret id=pip,src="$HOME/.config/pip/pip.conf" .

# Has Python 3.11 or newer, with venv.
ARG BUILD_IMAGE=docker.io/library/python:3.13-slim
# Has the same Python at the same place.
ARG BASE_IMAGE=docker.io/library/python:3.13-slim
# requirements-sqlserver.lock: with the driver of SQL Server, under terms of Microsoft's own.
ARG PACKAGES=requirements-runtime.lock

FROM ${BUILD_IMAGE} AS packages
ARG PACKAGES
WORKDIR /build
# One environment is for the image and has no pip, the other one is pip's.
RUN python3 -m venv --without-pip /opt/cirahub && python3 -m venv /build/pip
COPY ${PACKAGES} ./packages.lock
# Compiled here, without times in it: the image's file system is read-only when it runs.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=authority \
    /build/pip/bin/pip --python /opt/cirahub/bin/python --no-cache-dir install \
        --disable-pip-version-check --no-compile --no-deps --only-binary :all: --require-hashes \
        --requirement packages.lock \
    && /opt/cirahub/bin/python -W ignore -m compileall -q --invalidation-mode unchecked-hash \
        /opt/cirahub/lib

FROM packages AS project
COPY requirements-build.lock ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=authority \
    /build/pip/bin/pip --no-cache-dir install --disable-pip-version-check \
        --no-deps --only-binary :all: --require-hashes --requirement requirements-build.lock
COPY LICENSE README.md pyproject.toml ./source/
COPY operator ./source/operator
COPY simulator ./source/simulator
COPY sync ./source/sync
# Below /project, to be a layer of its own: a change of the code changes nothing but that.
RUN /build/pip/bin/pip wheel --disable-pip-version-check --no-deps --no-build-isolation --no-index \
        --wheel-dir wheels ./source \
    && /build/pip/bin/pip --python /opt/cirahub/bin/python install --disable-pip-version-check \
        --no-warn-script-location --no-compile --no-deps --no-index --root /project wheels/*.whl \
    && /opt/cirahub/bin/python -m compileall -q --invalidation-mode unchecked-hash \
        -s /project /project/opt/cirahub/lib

FROM ${BASE_IMAGE}
# Python's own modules, where the base has them uncompiled; nobody's set-user-ID programs; no pip,
# of which the image has no use. /var/lib/cirahub is where a volume is mounted.
RUN python3 -m compileall -q "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && rm -rf /usr/local/bin/pip* /usr/local/lib/python3.*/site-packages/pip* \
        /usr/local/lib/python3.*/ensurepip \
    && echo 'cirahub:x:65532:65532::/var/lib/cirahub:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'cirahub:x:65532:' >> /etc/group \
    && mkdir /var/lib/cirahub \
    && chown 65532:65532 /var/lib/cirahub \
    && chmod 0700 /var/lib/cirahub
COPY --from=packages /opt/cirahub /opt/cirahub
COPY --from=project /project/opt/cirahub /opt/cirahub
ENV PATH=/opt/cirahub/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /var/lib/cirahub
EXPOSE 8080 9090
ENTRYPOINT ["cirahub"]
CMD ["operator"]

ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=
LABEL org.opencontainers.image.title="cirahub-operator" \
      org.opencontainers.image.description="Keeps contacts, calendars and address lists in sync" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"
