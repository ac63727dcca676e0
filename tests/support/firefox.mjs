// The driver of tests.support.firefox: each line of stdin says what to do, each line of stdout what
// came of it. Playwright cannot drive Debian's Firefox; puppeteer can, over WebDriver BiDi.
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [executablePath, seconds] = process.argv.slice(2);
const browser = await puppeteer.launch({ browser: "firefox", executablePath });
let page, home;
let complaints = [];

const deeds = {
  async visit(url, width, height) {
    await page?.browserContext().close();
    [home, complaints] = [url, []];
    const context = await browser.createBrowserContext();
    page = await context.newPage();
    page.setDefaultTimeout(seconds * 1000);
    await page.setViewport({ width, height });
    await listen();
  },
  keep: (name, value) => page.browserContext().setCookie({ name, value, domain: new URL(home).hostname }),
  async open(path) {
    await page.waitForFunction(() => document.readyState === "complete"); // else going may never end
    const answer = await page.goto(home + path);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    return [answer.status(), Math.max(wide, 0)];
  },
  fill: (selector, value) => page.locator(selector).fill(value),
  async choose(selector, word) {
    const value = await page.waitForFunction(valueOf, {}, selector, word);
    await page.locator(selector).fill(await value.jsonValue());
  },
  press: (selector) => page.locator(selector).click(),
  strike: (key) => page.keyboard.press(key),
  see: async (...wanted) => void (await page.waitForFunction(shows, {}, ...wanted)),
  evaluate: (expression) => page.evaluate(expression),
  complaints: () => complaints.splice(0),
};

// A form that is sent back to be mended, or too late, is no complaint.
async function listen() {
  await page.evaluateOnNewDocument(tellRefusals);
  page.on("console", (said) => said.type() === "error" && complain(said.text()));
  page.on("pageerror", (error) => complain(String(error)));
  page.on("request", (request) => isAbroad(request.url()) && complaints.push(`asks ${request.url()}`));
  page.on("response", (answer) => {
    const status = answer.status();
    if (status >= 400 && status !== 409 && status !== 422) complaints.push(`${status} ${answer.url()}`);
  });
}

const isAbroad = (url) => ![home, "data:", "about:", "blob:"].some((start) => url.startsWith(start));

// A font that still came when the page was left is no complaint: NS_BINDING_ABORTED.
const isLeft = (text) => text.includes("download failed") && text.includes("status=2152398850");
const complain = (text) => isLeft(text) || complaints.push(text);

// What the policy forbids is told to the page alone.
function tellRefusals() {
  addEventListener("securitypolicyviolation", (event) => console.error("policy", event.violatedDirective, event.blockedURI));
}

function shows(selector, text, count) {
  const seen = [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
  const found = seen.filter((one) => one.textContent.includes(text)).length;
  return count === null ? found > 0 : found === count;
}

function valueOf(selector, word) {
  const options = document.querySelector(selector)?.options ?? [];
  return [...options].find((one) => one.textContent.includes(word))?.value;
}

async function told(deed, given) {
  try {
    return { value: (await deeds[deed](...given)) ?? null };
  } catch (error) {
    return { error: String(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [deed, ...given] = JSON.parse(line);
  console.log(JSON.stringify(await told(deed, given)));
}
await browser.close();
