// A browser without a window, spoken to over its DevTools pipe: nothing is downloaded, no port is
// opened.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long the browser may take for one answer, in milliseconds. */
const PATIENCE = 60_000;

/** Whether all charts are drawn. */
export const READY = 'document.readyState === "complete" && document.documentElement.dataset.ready === "yes"';

export class Browser {
  static async start(program) {
    const profile = mkdtempSync(join(tmpdir(), 'lbsim-page-'));
    // Without a sandbox, for a container has no user namespaces; the pages are our own.
    const child = spawn(program, ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars', '--no-first-run',
      '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const browser = new Browser(child, profile);
    const { targetInfos } = await browser.send('Target.getTargets');
    const { targetId } = targetInfos.find(target => target.type === 'page');
    ({ sessionId: browser.session } = await browser.send('Target.attachToTarget', { targetId, flatten: true }));
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await browser.send(`${domain}.enable`);
    return browser;
  }

  constructor(child, profile) {
    Object.assign(this, { child, profile, session: undefined, last: 0, waiting: new Map(), faults: [], requests: [] });
    let rest = Buffer.alloc(0);
    child.stdio[4].on('data', chunk => {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        this.hear(JSON.parse(rest.subarray(0, end).toString()));
        rest = rest.subarray(end + 1);
      }
    });
  }

  hear({ id, result, error, method, params }) {
    if (id) {
      const { resolve, reject, timer } = this.waiting.get(id);
      this.waiting.delete(id);
      clearTimeout(timer);
      if (error) reject(new Error(error.message)); else resolve(result);
    } else if (method === 'Runtime.exceptionThrown') {
      this.faults.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    } else if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params.type)) {
      this.faults.push(params.args.map(arg => arg.value ?? arg.description).join(' '));
    } else if (method === 'Log.entryAdded' && params.entry.level === 'error') {
      this.faults.push(params.entry.text);
    } else if (method === 'Network.loadingFailed') {
      this.faults.push(`not loaded: ${params.errorText}`);
    } else if (method === 'Network.requestWillBeSent') {
      this.requests.push(params.request.url);
    }
  }

  send(method, params = {}) {
    const id = (this.last += 1);
    const message = { id, method, params, ...(this.session ? { sessionId: this.session } : {}) };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), PATIENCE);
      this.waiting.set(id, { resolve, reject, timer });
      this.child.stdio[3].write(`${JSON.stringify(message)}\0`);
    });
  }

  /** The value of an expression in the page; of a promise what it comes to. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Opens a page of a width in pixels, on light or dark, and waits until its charts are drawn. */
  async open(url, { width, dark = false }) {
    this.faults.length = 0;
    this.requests.length = 0;
    await this.send('Emulation.setDeviceMetricsOverride', { width, height: width < 500 ? 800 : 900, deviceScaleFactor: 1, mobile: width < 500 });
    await this.scheme(dark ? 'dark' : 'light');
    await this.send('Page.navigate', { url });
    await this.until(READY);
  }

  scheme(value) {
    return this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
  }

  async until(expression) {
    for (const began = Date.now(); Date.now() - began < PATIENCE;) {
      if (await this.evaluate(expression)) return;
      await new Promise(resolve => { setTimeout(resolve, 50); });
    }
    throw new Error(`in vain waited for: ${expression}; ${this.faults.join('; ')}`);
  }

  /** A picture of the whole page as PNG. */
  async picture() {
    const { cssContentSize: { width, height } } = await this.send('Page.getLayoutMetrics');
    const { data } = await this.send('Page.captureScreenshot', { captureBeyondViewport: true, clip: { x: 0, y: 0, width, height, scale: 1 } });
    return Buffer.from(data, 'base64');
  }

  async pdf() {
    const { data } = await this.send('Page.printToPDF', { printBackground: true, preferCSSPageSize: true });
    return Buffer.from(data, 'base64');
  }

  async stop() {
    const ended = new Promise(resolve => { this.child.once('exit', resolve); });
    const session = this.session;
    this.session = undefined;
    await this.send('Browser.close').catch(() => this.child.kill());
    await ended;
    this.session = session;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
