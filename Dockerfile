# dirsyncd as an image: plain JavaScript on the official Node 24, as a user without rights, ready for a read-only root file system.
#
#   docker build -t dirsyncd .
#   docker run --read-only --cap-drop=ALL -v /etc/dirsyncd:/etc/dirsyncd:ro -v dirsyncd:/var/lib/dirsyncd -p 127.0.0.1:8640:8640 dirsyncd
#
# Its configuration, /etc/dirsyncd/dirsyncd.yaml, says for a container:
#
#   database: /var/lib/dirsyncd/dirsyncd.db
#   http: { listen: 0.0.0.0:8640, insecure: true }

FROM node:24-bookworm-slim AS build
WORKDIR /opt/dirsyncd
COPY package.json package-lock.json .npmrc ./
# With the optional ones: the TypeScript compiler is one of them.
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /opt/dirsyncd
COPY package.json package-lock.json .npmrc ./
# The image's own Node is the pinned one's kind, so the optional ones stay out; so do SQLite's sources and other systems' binaries.
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund \
	&& rm -rf node_modules/better-sqlite3/deps node_modules/better-sqlite3/src \
	&& find node_modules/better-sqlite3/prebuilds -type f ! -name 'linux-*' -delete

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/dirsyncd
COPY --from=dependencies /opt/dirsyncd/node_modules ./node_modules
COPY --from=build /opt/dirsyncd/dist ./dist
COPY package.json LICENSE ./
COPY config ./config
RUN install -d -o node -g node -m 0700 /var/lib/dirsyncd
# The image's user "node", by number: Kubernetes (runAsNonRoot) looks at the number.
USER 1000:1000
VOLUME /var/lib/dirsyncd
EXPOSE 8640
# Live means the process answers; /health, which also looks at the sources, is for alerts: restarting us heals no directory.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
	CMD ["node", "-e", "fetch('http://127.0.0.1:8640/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
# Exec form: node is process 1 and gets the signals itself.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["run", "--config", "/etc/dirsyncd/dirsyncd.yaml"]
