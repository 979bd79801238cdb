# lrcn on a CPU; docs/platforms.md says how to use it. Untested: no container could be built where this was written.
FROM debian:12-slim

RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates curl g++ python3 python3-pip unzip \
  && rm -rf /var/lib/apt/lists/*
RUN curl -fsSL https://deno.land/install.sh | DENO_INSTALL=/usr/local sh -s v2.9.6

ENV DENO_DIR=/deno
WORKDIR /lrcn
COPY . .
# Compiles the library with libtorch, then fetches the npm packages.
RUN deno task build && deno cache mod.ts tasks/*.ts

WORKDIR /data
ENTRYPOINT ["deno", "task", "--quiet", "--cwd", "/lrcn"]
CMD ["caption", "--help"]
