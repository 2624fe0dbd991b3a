// SPDX-License-Identifier: GPL-2.0
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {Readable, Writable} from 'node:stream';

/** The package in Debian, and also the program. */
export const browserPackage = 'chromium-headless-shell';

type Message = {
	readonly id?: number;
	readonly method?: string;
	readonly params?: Readonly<Record<string, unknown>>;
	readonly result?: Readonly<Record<string, unknown>>;
	readonly error?: {readonly message: string};
};

/** A page in a headless browser, controlled through Chromium's DevTools protocol. */
export class Browser implements AsyncDisposable {
	readonly #process: ChildProcess;
	readonly #resources: AsyncDisposableStack;
	readonly #answers = new Map<number, PromiseWithResolvers<Message>>();
	#session: string | undefined;
	#lastId = 0;
	/** Protocol events since the page was loaded: exceptions, log entries, requests. */
	readonly events: Message[] = [];

	private constructor(process: ChildProcess, resources: AsyncDisposableStack) {
		this.#process = process;
		this.#resources = resources;
	}

	static async open(): Promise<Browser> {
		await using resources = new AsyncDisposableStack();
		const profile = resources.use(await mkdtempDisposable(path.join(tmpdir(), 'browser-')));
		const flags = [`--user-data-dir=${profile.path}`, '--headless', '--remote-debugging-pipe', '--disable-gpu'];
		// In a process group of its own, because the program is a wrapper script. The page is ours, so the browser
		// needs no sandbox, which root could not use. If the tests are killed, it ends with the pipe.
		const child = spawn(browserPackage, [...flags, '--no-sandbox', '--disable-dev-shm-usage'], {
			stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
			detached: true,
		});
		const closed = once(child, 'close');
		await once(child, 'spawn');
		resources.defer(async () => {
			if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
			await closed;
		});
		const browser = new Browser(child, resources.move());
		browser.#listen();
		const {targetId} = await browser.ask('Target.createTarget', {url: 'about:blank'});
		const {sessionId} = await browser.ask('Target.attachToTarget', {targetId, flatten: true});
		browser.#session = String(sessionId);
		for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.ask(`${domain}.enable`);
		return browser;
	}

	async ask(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> {
		const id = ++this.#lastId;
		const answer = Promise.withResolvers<Message>();
		this.#answers.set(id, answer);
		const message = {id, method, params, ...(this.#session !== undefined && {sessionId: this.#session})};
		// The protocol uses descriptors 3 and 4; messages end with a zero byte.
		(this.#process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
		const {result, error} = await answer.promise;
		if (error) throw new Error(`${method}: ${error.message}`);
		return result ?? {};
	}

	/** Loads a page in a window of this width, in CSS pixels. */
	async load(url: string, {width, scheme}: {width: number; scheme: 'light' | 'dark'}): Promise<void> {
		this.events.length = 0;
		await this.ask('Emulation.setDeviceMetricsOverride', {width, height: 800, deviceScaleFactor: 1, mobile: false});
		await this.ask('Emulation.setEmulatedMedia', {features: [{name: 'prefers-color-scheme', value: scheme}]});
		const loaded = this.#next('Page.loadEventFired');
		await this.ask('Page.navigate', {url});
		await loaded;
	}

	/** Evaluates an expression in the page. */
	async evaluate(expression: string): Promise<unknown> {
		const answer = await this.ask('Runtime.evaluate', {expression, returnByValue: true, awaitPromise: true});
		if (answer.exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(answer.exceptionDetails)}`);
		// Guaranteed by the protocol.
		return (answer.result as {value: unknown}).value;
	}

	async screenshot(): Promise<Buffer> {
		const {data} = await this.ask('Page.captureScreenshot', {captureBeyondViewport: true});
		return Buffer.from(String(data), 'base64');
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#resources.disposeAsync();
	}

	readonly #waiting = new Map<string, () => void>();

	async #next(method: string): Promise<void> {
		const {promise, resolve} = Promise.withResolvers<void>();
		this.#waiting.set(method, resolve);
		await promise;
	}

	#listen(): void {
		let rest = '';
		const output = this.#process.stdio[4] as Readable;
		output.setEncoding('utf8').on('data', (chunk: string) => {
			const messages = (rest + chunk).split('\0');
			rest = messages.pop()!;
			for (const message of messages) this.#receive(JSON.parse(message) as Message);
		});
		output.once('close', () => {
			for (const {reject} of this.#answers.values()) reject(new Error('The browser has ended.'));
		});
	}

	#receive(message: Message): void {
		if (message.id !== undefined) {
			this.#answers.get(message.id)?.resolve(message);
			this.#answers.delete(message.id);
			return;
		}
		this.events.push(message);
		this.#waiting.get(message.method ?? '')?.();
	}
}
