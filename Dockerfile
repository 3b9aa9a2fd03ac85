# cloudtop as an MCP server. Over standard input and output:   docker run -i --rm -v cloudtop:/data cloudtop
# Over HTTP, with a token (docs/http.md):                      docker run --rm -p 127.0.0.1:8000:8000 -v cloudtop:/data \
#   -v ./tokens:/run/secrets/tokens:ro cloudtop mcp --http 0.0.0.0:8000 --token-file /run/secrets/tokens
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/cloudtop
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY cloudtop cloudtop
COPY connectors connectors
COPY tool_specs tool_specs
COPY mcp_server mcp_server
COPY agent agent
RUN /opt/cloudtop/bin/pip install --no-cache-dir --constraint constraints.txt ".[all]"

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 cloudtop && install -d -o cloudtop -g cloudtop /data
COPY --from=build /opt/cloudtop /opt/cloudtop
ENV PATH=/opt/cloudtop/bin:$PATH CLOUDTOP_HOME=/data PYTHONUNBUFFERED=1
USER cloudtop
WORKDIR /home/cloudtop
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["cloudtop"]
CMD ["mcp"]
