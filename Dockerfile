# syntax=docker/dockerfile:1
# One image for each process of Docket:
#
#   docker build --build-arg SERVICE=user --build-arg BUILD=$(git rev-parse --short HEAD) --tag docket/user .
#
# SERVICE is user, document, storage, integration, gateway or web; admin, for `npm run admin`; or journey, which goes a person's
# way through an installation. What it needs to write is /data (and /data alone, where
# databases, contents and secrets are kept elsewhere: the mesh's development authority, shared by all) and /tmp.
# Pin the base by its digest where images must not change beneath you: NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
ARG SERVICE

# The packages that this process runs with, and none that only build or test it. The portal's process needs those of the
# runtime alone: pages bring theirs with their build.
FROM ${NODE_IMAGE} AS packages
ARG SERVICE
WORKDIR /docket
COPY package.json package-lock.json ./
COPY bench/package.json bench/
COPY contracts/package.json contracts/
COPY e2e/package.json e2e/
COPY mesh/package.json mesh/
COPY observability/package.json observability/
COPY runtime/package.json runtime/
COPY services/document/package.json services/document/
COPY services/gateway/package.json services/gateway/
COPY services/integration/package.json services/integration/
COPY services/storage/package.json services/storage/
COPY services/user/package.json services/user/
COPY web/package.json web/
RUN --mount=type=cache,target=/root/.npm \
    case "$SERVICE" in \
      web) workspaces="runtime" ;; \
      admin) workspaces="services/user services/document services/storage services/integration" ;; \
      journey) workspaces="e2e" ;; \
      *) workspaces="services/$SERVICE" ;; \
    esac; \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund $(printf -- '--workspace %s ' $workspaces)
RUN case "$SERVICE" in \
      web) echo 'import "./web/main.ts";' > main.mjs; echo 'import "./web/process/probe.ts";' > probe.mjs ;; \
      admin) echo 'import "./e2e/admin.ts";' > main.mjs; echo > probe.mjs ;; \
      journey) echo 'import "./e2e/check_preview.ts";' > main.mjs; echo > probe.mjs ;; \
      *) echo "import \"./services/$SERVICE/main.ts\";" > main.mjs; \
         echo "import \"./services/$SERVICE/probe.ts\";" > probe.mjs ;; \
    esac

# Sources run as they are: nothing is compiled.
FROM scratch AS sources
WORKDIR /docket
COPY package.json ./
COPY contracts contracts
COPY runtime runtime

FROM sources AS sources-user
COPY services/user services/user

FROM sources AS sources-document
COPY services/document services/document

FROM sources AS sources-storage
COPY services/storage services/storage

FROM sources AS sources-integration
COPY services/integration services/integration

FROM sources AS sources-gateway
COPY services/gateway services/gateway

# What operators type, on the databases of all services: docker run docket/admin users list
FROM sources AS sources-admin
COPY services services
COPY e2e/package.json e2e/admin.ts e2e/verify.ts e2e/
COPY e2e/admin e2e/admin
COPY e2e/backup e2e/backup

# A person who tries what is there, over the public address.
FROM sources AS sources-journey
COPY e2e/package.json e2e/check_preview.ts e2e/preview.ts e2e/person.ts e2e/transfer.ts e2e/bytes.ts e2e/
COPY e2e/backup/command_line.ts e2e/backup/

# The portal is the exception: its pages are built, with everything that this needs.
FROM ${NODE_IMAGE} AS portal
WORKDIR /docket
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
RUN npm run build

FROM sources AS sources-web
COPY web/package.json web/main.ts web/
COPY web/process web/process
COPY --from=portal /docket/web/.output web/.output

FROM sources-${SERVICE} AS chosen

FROM ${NODE_IMAGE} AS image
ARG SERVICE
ARG BUILD=dev
LABEL org.opencontainers.image.title="Docket: ${SERVICE}" \
      org.opencontainers.image.description="A document and task manager: the process ${SERVICE} of its mesh." \
      org.opencontainers.image.revision="${BUILD}"
ENV NODE_ENV=production \
    DOCKET_DATA_DIR=/data \
    DOCKET_BUILD=${BUILD}
# A volume that is mounted here for the first time takes over who owns it.
WORKDIR /data
RUN chown 65532:65532 . && chmod 0700 .
WORKDIR /docket
COPY --from=packages /docket ./
COPY --from=chosen /docket ./
USER 65532:65532
# Node is the first process and handles SIGTERM itself: it drains within 15 seconds.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "probe.mjs"]
ENTRYPOINT ["node", "main.mjs"]
