// Node's client against a server: peers.mjs URL SITE; exit 0: all is as in SITE. And a
// server of node's: peers.mjs serve PORT SITE.
import { strict as assert } from 'assert';
import fs from 'fs';
import http from 'http';

const content = name => fs.readFileSync(`${site}/${name}`);
const bytes = n => Buffer.from(Array.from({ length: n }, (_, i) => (i * 7919 + n) & 255));
const all = (n, act) => Promise.all(Array.from({ length: n }, (_, i) => act(i)));

async function get(path, options) {
    const answer = await fetch(url + path, options);
    return [answer.status, Buffer.from(await answer.arrayBuffer()), answer];
}

async function comes(path, name, options) {
    const [status, body] = await get(path, options);
    assert.equal(status, 200);
    assert.ok(body.equals(content(name)), name);
}

async function comesBack(body, sent = body, options = {}) {
    const [status, got] = await get('/echo', { method: 'POST', body: sent, ...options });
    assert.equal(status, 200);
    assert.ok(got.equals(body), `${body.length} bytes`);
}

// The rest of the body is not wanted; what follows is not disturbed.
async function abort() {
    const stop = new AbortController();
    const answer = await fetch(`${url}/big`, { signal: stop.signal });
    await answer.body.getReader().read();
    stop.abort();
    await comes('/small', 'small');
}

async function expectContinue() {
    const answer = await new Promise((done, failed) => {
        const headers = { Expect: '100-continue' };
        const request = http.request(`${url}/echo`, { method: 'POST', headers }, done);
        request.on('continue', () => request.end('went on'));
        request.on('error', failed);
        request.flushHeaders();
    });
    let body = '';
    for await (const piece of answer)
        body += piece;
    assert.equal(body, 'went on');
}

async function fetchAll() {
    await all(40, i => comes(`/middle?${i}`, 'middle'));
    for (let i = 0; i < 50; i++)
        await comes('/small', 'small');
    for (let i = 0; i < 5; i++)
        await abort();
    for (const n of [0, 1, 1000, 100000])
        await comesBack(bytes(n));
    await all(40, i => comesBack(bytes(i * 1000)));
    const pieces = [1, 10000, 5, 70000].map(bytes);
    await comesBack(Buffer.concat(pieces), new ReadableStream({
        start(to) {
            pieces.forEach(piece => to.enqueue(piece));
            to.close();
        }
    }), { duplex: 'half' });
    const [status, body] = await get('/middle', { headers: { Range: 'bytes=5-104' } });
    assert.equal(status, 206);
    assert.ok(body.equals(content('middle').subarray(5, 105)));
    assert.ok((await get('/sub'))[2].redirected);
    assert.equal((await get('/none'))[0], 404);
    await expectContinue();
}

function answerFile(request, answer) {
    const path = site + decodeURIComponent(request.url);
    if (!fs.existsSync(path)) {
        answer.writeHead(404);
        answer.end('none');
        return;
    }
    const size = fs.statSync(path).size;
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range || '');
    const start = range ? +range[1] : 0, end = range && range[2] ? +range[2] : size - 1;
    const head = { 'Content-Length': end - start + 1 };
    if (range)
        head['Content-Range'] = `bytes ${start}-${end}/${size}`;
    answer.writeHead(range ? 206 : 200, head);
    if (request.method === 'HEAD')
        answer.end();
    else
        fs.createReadStream(path, { start, end }).pipe(answer);
}

async function answerChunks(answer) {
    for (let i = 1; i <= 500; i++) {
        answer.write(`${i}\n`);
        if (i % 50 === 0)
            await new Promise(done => setTimeout(done, 1));
    }
    answer.end();
}

const [url, port] = process.argv.slice(2);
const site = process.argv.at(-1);
if (url === 'serve') {
    http.createServer((request, answer) => request.url === '/chunks'
        ? answerChunks(answer) : answerFile(request, answer)).listen(+port);
} else {
    await fetchAll();
    process.exit(0);
}
