// The official TypeScript client: every tool listed and called, its structured content checked by the client.
// Its own model, a script, plans the question that the built-in planner can make nothing of.
// node client.mjs '{"url"|"command", "env", "calls": {tool: [arguments]}, "mode", "era"}', prints one line a tool.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const { url, command, env, calls, mode, era } = JSON.parse(process.argv[2]);
const transport = url
  ? new StreamableHTTPClientTransport(new URL(url))
  : new StdioClientTransport({ command: command[0], args: command.slice(1), env: { ...process.env, ...env } });
const client = new Client(
  { name: "cloudtop-tests", version: "1" },
  { versionNegotiation: { mode }, capabilities: { sampling: { tools: {} } } },
);
client.setRequestHandler("sampling/createMessage", async ({ params }) => {
  const last = [params.messages.at(-1).content].flat().at(-1);
  const done = last.type === "tool_result";
  const call = { type: "tool_use", id: "1", name: "compare_gpu_prices", input: { gpu: ["A100"], limit: 3 } };
  const content = done ? { type: "text", text: "These are the offers." } : call;
  return { role: "assistant", model: "scripted", content, stopReason: done ? "endTurn" : "toolUse" };
});
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
  const asked = await client.callTool({ name: "ask", arguments: { question: "is anything on fire" } });
  const { model, calls: made } = asked.structuredContent?.rows?.[0] ?? {};
  const who = url && era === "legacy" ? "planner" : "client"; // without a session nobody can be asked back
  if (model !== who || made.length !== (who === "client" ? 1 : 0)) fail(JSON.stringify(asked).slice(0, 600));
  console.log(`ask planned by the ${model}`);
  const refused = await client.callTool({ name: "compare_gpu_prices", arguments: { gpu: ["Z9"] } });
  if (!refused.isError || !refused.content[0].text.includes("Z9")) fail(JSON.stringify(refused).slice(0, 600));
} finally {
  await client.close();
}
