// The official TypeScript client: every tool listed and called, its structured content checked by the client.
// node client.mjs '{"url"|"command", "env", "calls": {tool: [arguments]}, "mode", "era"}', prints one line a tool.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const { url, command, env, calls, mode, era } = JSON.parse(process.argv[2]);
const transport = url
  ? new StreamableHTTPClientTransport(new URL(url))
  : new StdioClientTransport({ command: command[0], args: command.slice(1), env: { ...process.env, ...env } });
const client = new Client({ name: "cloudtop-tests", version: "1" }, { versionNegotiation: { mode } });
const fail = (words) => {
  throw new Error(words);
};
await client.connect(transport);
try {
  if (client.getProtocolEra() !== era) fail(`the client speaks ${client.getProtocolEra()}`);
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name).sort();
  if (names.join() !== Object.keys(calls).sort().join()) fail(`tools/list gives ${names}`);
  for (const name of names) {
    for (const args of calls[name]) {
      const result = await client.callTool({ name, arguments: args });
      const rows = result.structuredContent?.rows;
      if (result.isError || !rows?.length) fail(`${name}: ${JSON.stringify(result).slice(0, 600)}`);
    }
    console.log(`${name} ${calls[name].length} calls`);
  }
  const refused = await client.callTool({ name: "compare_gpu_prices", arguments: { gpu: ["Z9"] } });
  if (!refused.isError || !refused.content[0].text.includes("Z9")) fail(JSON.stringify(refused).slice(0, 600));
} finally {
  await client.close();
}
