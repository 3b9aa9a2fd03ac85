// The view of prices in a real browser, in a frame as clients make it: sandboxed, no network, messages only.
// node view.mjs ANSWERS.json [SCREENSHOT]: {html, tools: {name: result}}, results as the server gave them.
import { readFileSync } from "node:fs";
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const given = JSON.parse(readFileSync(process.argv[2], "utf8"));
const checks = [];
const check = (name, holds, seen) => {
  checks.push(name);
  if (!holds) throw new Error(`${name}: ${JSON.stringify(seen)}`);
};
const CSP = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'none'";
const browser = await puppeteer.launch({
  args: [...chromium.args, "--no-sandbox"], executablePath: await chromium.executablePath(), headless: "shell",
});
try {
  const page = await browser.newPage();
  const faults = [], requests = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("request", (one) => /^https?:/.test(one.url()) && requests.push(one.url()));
  await page.setViewport({ width: 1100, height: 900 });
  await page.setContent('<iframe sandbox="allow-scripts" style="width:1060px;height:860px;border:0"></iframe>');
  await page.evaluate((html, tools) => {
    const frame = document.querySelector("iframe"), seen = (window.seen = { calls: [], methods: [], sizes: 0 });
    window.tell = (method, params) => frame.contentWindow.postMessage({ jsonrpc: "2.0", method, params }, "*");
    window.addEventListener("message", ({ data }) => {
      seen.methods.push(data.method);
      const answer = (more) => frame.contentWindow.postMessage({ jsonrpc: "2.0", id: data.id, ...more }, "*");
      if (data.method === "ui/initialize")
        answer({ result: { protocolVersion: "2026-01-26", hostInfo: { name: "test", version: "1" }, hostCapabilities: { serverTools: {} },
          hostContext: { theme: "light", toolInfo: { tool: { name: "compare_gpu_prices" } } } } });
      if (data.method === "ui/notifications/initialized") {
        window.tell("ui/notifications/tool-input", { arguments: { gpu: ["A100"], limit: 5 } });
        window.tell("ui/notifications/tool-result", tools.compare_gpu_prices);
      }
      if (data.method === "tools/call") {
        seen.calls.push(data.params);
        const name = data.params.arguments.cursor ? "next_page" : data.params.name;
        answer({ result: tools[name] });
      }
    });
    frame.srcdoc = html;
  }, given.html.replace("<head>", `<head><meta http-equiv="Content-Security-Policy" content="${CSP}">`), given.tools);

  const frame = await page.waitForFrame((one) => one.parentFrame() !== null);
  await frame.waitForSelector("tbody tr");
  const offers = given.tools.compare_gpu_prices.structuredContent.rows;
  const column = async (title) => frame.evaluate((title) => {
    const at = [...document.querySelectorAll("th")].findIndex((one) => one.textContent === title);
    return [...document.querySelectorAll("tbody tr")].map((row) => row.cells[at].textContent);
  }, title);
  const press = (text) => frame.evaluate((text) => [...document.querySelectorAll("button")].find((one) => one.textContent === text).click(), text);
  const sellers = await column("Seller");
  check("every row is in the table", sellers.join() === offers.map((one) => one.provider).join(), sellers);
  const prices = (await column("$/GPU-hour")).map(Number);
  check("prices are the server's", prices.every((one, at) => Math.abs(one - offers[at].usd_per_gpu_hour) < 1e-4), prices);
  check("text of others stays text", (await frame.$("tbody img")) === null && (await column("Region")).some((one) => one.includes("<img")), await column("Region"));
  await press("$/GPU-hour");
  await press("$/GPU-hour");
  const down = (await column("$/GPU-hour")).map(Number);
  check("a second press sorts downwards", down.every((one, at) => at === 0 || one <= down[at - 1]), down);
  await frame.type("#filter", offers[0].provider);
  const kept = await column("Seller");
  check("the filter keeps what it names", kept.length > 0 && kept.every((one) => one === offers[0].provider), kept);
  await frame.$eval("#filter", (one) => { one.value = ""; one.oninput(); });
  await frame.select("#kind", "true");
  check("only spot", (await column("Spot")).every((one) => one === "yes"), await column("Spot"));
  await frame.select("#kind", "");
  await press("More rows");
  await frame.waitForFunction((count) => document.querySelectorAll("tbody tr").length > count, {}, offers.length);
  const more = given.tools.next_page.structuredContent.rows;
  check("more rows join the first", (await column("Seller")).length === offers.length + more.length, await column("Seller"));
  if (process.argv[3]) await page.screenshot({ path: process.argv[3].replace(".png", "-table.png") });
  await press("History");
  await frame.waitForSelector("#chart svg path.series");
  check("the chart has a line per seller", (await frame.$$("path.series")).length > 0, 0);
  const box = await (await frame.$("#chart svg")).boundingBox();
  await page.mouse.move(box.x + box.width * 0.979, box.y + box.height / 3);
  const tip = await frame.$eval("#tip", (one) => one.textContent);
  check("the pointer tells prices", tip.includes("UTC"), tip);
  if (process.argv[3]) await page.screenshot({ path: process.argv[3] });
  await press("Back to prices");
  await frame.waitForFunction(() => !document.querySelector("#chart svg"));
  const told = await page.evaluate(() => window.seen);
  check("the client is told the size", told.methods.includes("ui/notifications/size-changed"), told.methods);
  check("calls name what was pressed", told.calls.map((one) => one.name).join() === "compare_gpu_prices,gpu_price_history", told.calls);
  await page.evaluate(() => window.tell("ui/notifications/host-context-changed", { theme: "dark" }));
  await frame.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await page.evaluate((result) => window.tell("ui/notifications/tool-result", result), given.tools.refused);
  await frame.waitForFunction(() => !document.querySelector("#text").hidden);
  check("a refusal is shown as text", (await frame.$eval("#text", (one) => one.textContent)).includes("Z9"), "");
  check("no error in the console", faults.length === 0, faults);
  check("no address was asked", requests.length === 0, requests);
  console.log(`${await browser.version()}: ${checks.length} passed`);
} finally {
  await browser.close();
}
