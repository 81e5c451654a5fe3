// What an operator's scripts do with the npm package "cloudflare", unmodified: the folder that it was
// installed to is the first argument; where and as whom comes from the SDK's own variables
// (CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN). Prints one line a step; any other exit code than 0 is
// a failed step.
'use strict';
const assert = require('node:assert/strict');
const { createRequire } = require('node:module');
const Cloudflare = createRequire(process.argv[2] + '/')('cloudflare');

const RECORDS = 230;

async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

async function refused(status, code, call) {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof Cloudflare.APIError, String(error));
    assert.equal(error.status, status);
    assert.equal(error.errors[0].code, code, JSON.stringify(error.errors));
    return;
  }
  assert.fail('was not refused');
}

async function zones(client) {
  const [account] = await all(client.accounts.list());
  const made = [];
  for (let i = 0; i < 7; i++) {
    made.push(await client.zones.create({ account: { id: account.id }, name: `sdk${i}.example`, type: 'full' }));
  }
  assert.match(made[0].id, /^[0-9a-f]{32}$/);
  const listed = await all(client.zones.list({ per_page: 5 }));
  assert.deepEqual(listed.map((zone) => zone.name).sort(), made.map((zone) => zone.name).sort());
  const [found] = await all(client.zones.list({ name: 'sdk3.example' }));
  assert.equal(found.id, made[3].id);
  const paused = await client.zones.edit({ zone_id: made[1].id, paused: true });
  assert.equal(paused.paused, true);
  await client.zones.delete({ zone_id: made[6].id });
  await refused(404, 7003, client.zones.get({ zone_id: made[6].id }));
  await refused(400, 1061, client.zones.create({ account: { id: account.id }, name: 'sdk0.example' }));
  console.log('zones');
  return made[0];
}

async function records(client, zone) {
  const zone_id = zone.id;
  const posts = Array.from({ length: RECORDS }, (_, i) => (
    { type: 'A', name: `h${i}.sdk0.example`, content: `198.51.100.${i}`, ttl: 300 }));
  const batch = await client.dns.records.batch({ zone_id, posts });
  assert.equal(batch.posts.length, RECORDS);
  const listed = await all(client.dns.records.list({ zone_id, per_page: 50, type: 'A' }));
  assert.equal(new Set(listed.map((record) => record.id)).size, RECORDS);
  const [one] = await all(client.dns.records.list({ zone_id, name: { exact: 'h7.sdk0.example' } }));
  assert.equal(one.content, '198.51.100.7');
  assert.equal((await all(client.dns.records.list({ zone_id, content: { startswith: '198.51.100.22' } }))).length, 11);  // .22 and .220 to .229
  console.log('records, page by page');

  const mail = await client.dns.records.create({ zone_id, type: 'MX', name: 'sdk0.example', content: 'mail.sdk0.example', priority: 5, ttl: 1 });
  assert.equal(mail.priority, 5);
  const service = await client.dns.records.create({
    zone_id, type: 'SRV', name: '_sip._tcp.sdk0.example', ttl: 3600,
    data: { priority: 1, weight: 2, port: 5060, target: 'sip.sdk0.example' },
  });
  assert.equal(service.data.port, 5060);
  const text = await client.dns.records.create({ zone_id, type: 'TXT', name: 'sdk0.example', content: '"v=spf1 -all"', ttl: 120, comment: 'mail', tags: [] });
  assert.equal(text.content, '"v=spf1 -all"');
  const edited = await client.dns.records.edit(one.id, { zone_id, type: 'A', name: one.name, content: one.content, ttl: 1, proxied: true });
  assert.deepEqual([edited.proxied, edited.ttl, edited.proxiable], [true, 1, true]);
  const replaced = await client.dns.records.update(one.id, { zone_id, type: 'AAAA', name: one.name, content: '2001:DB8::0:7', ttl: 60 });
  assert.deepEqual([replaced.type, replaced.content, replaced.proxied], ['AAAA', '2001:db8::7', false]);
  assert.deepEqual((await client.dns.records.get(one.id, { zone_id })).content, '2001:db8::7');
  console.log('records of many types');

  await refused(400, 81057, client.dns.records.create({ zone_id, type: 'A', name: 'h1.sdk0.example', content: '198.51.100.1', ttl: 300 }));
  await refused(400, 81053, client.dns.records.create({ zone_id, type: 'CNAME', name: 'h1.sdk0.example', content: 'x.example', ttl: 300 }));
  await refused(400, 1004, client.dns.records.create({ zone_id, type: 'TXT', name: 't.sdk0.example', content: 'x', ttl: 1, proxied: true }));
  await refused(404, 81044, client.dns.records.get('0'.repeat(32), { zone_id }));
  const before = await all(client.dns.records.list({ zone_id, per_page: 500 }));
  await refused(400, 81057, client.dns.records.batch({
    zone_id,
    deletes: [{ id: mail.id }],
    posts: [{ type: 'A', name: 'new.sdk0.example', content: '198.51.100.1', ttl: 300 },
            { type: 'A', name: 'h1.sdk0.example', content: '198.51.100.1', ttl: 300 }],
  }));
  assert.equal((await all(client.dns.records.list({ zone_id, per_page: 500 }))).length, before.length);
  console.log('refusals, and a batch that changes nothing');

  const batched = await client.dns.records.batch({
    zone_id,
    deletes: [{ id: mail.id }],
    patches: [{ id: text.id, ttl: 600 }],
    puts: [{ id: service.id, type: 'A', name: 'was-srv.sdk0.example', content: '198.51.100.250', ttl: 300 }],
    posts: [{ type: 'CNAME', name: 'alias.sdk0.example', content: 'h1.sdk0.example', ttl: 300 }],
  });
  assert.deepEqual([batched.deletes[0].id, batched.patches[0].ttl, batched.puts[0].type, batched.posts[0].type],
    [mail.id, 600, 'A', 'CNAME']);
  const exported = await client.dns.records.export({ zone_id });
  assert.match(exported, /h229\.sdk0\.example\.\s+300\s+IN\s+A\s+198\.51\.100\.229/);
  const gone = await client.dns.records.delete(one.id, { zone_id });
  assert.equal(gone.id, one.id);
  console.log('batch, export, delete');
}

async function main() {
  const client = new Cloudflare();
  await records(client, await zones(client));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
