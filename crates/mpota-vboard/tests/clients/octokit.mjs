// A release through octokit, from draft to deletion. Counts what it has seen to be right.
import { Octokit } from "@octokit/rest";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";

let cases = 0;
function same(actual, expected) {
  assert.deepEqual(actual, expected);
  cases += 1;
}

const owner = "octo";
const repo = "weather";
const octokit = new Octokit({ auth: process.env.TOKEN, baseUrl: `${process.env.BASE}/api/v3` });
const { repos } = octokit.rest;

async function refused(status, promise) {
  const error = await promise.then(() => null, (error) => error);
  same(error?.status, status);
  return error.response.data;
}

same((await octokit.rest.users.getAuthenticated()).data.login, "octo");
same((await repos.get({ owner, repo })).data.permissions.push, true);
await refused(404, repos.getLatestRelease({ owner, repo }));
const { data: draft } = await repos.createRelease({ owner, repo, tag_name: "v1.0.0", name: "One", draft: true });
same(draft.draft, true);
const release_id = draft.id;

const files = { "small.txt": Buffer.from("hello\n"), "with space.bin": Buffer.alloc(5000, 7), "large.pack": Buffer.alloc(3_000_000) };
for (let i = 0; i < files["large.pack"].length; i += 1) files["large.pack"][i] = (i * 31) >> 3;
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
for (const [name, data] of Object.entries(files)) {
  const { data: asset, status } = await repos.uploadReleaseAsset({ owner, repo, release_id, name, label: `a ${name}`, data, url: draft.upload_url, headers: { "content-type": "application/x-test" } });
  same([status, asset.name, asset.size, asset.state, asset.label, asset.content_type], [201, name.replace(" ", "."), data.length, "uploaded", `a ${name}`, "application/x-test"]);
  same(asset.digest, `sha256:${sha256(data)}`);
}
const conflict = await refused(422, repos.uploadReleaseAsset({ owner, repo, release_id, name: "small.txt", data: "x", url: draft.upload_url }));
same(conflict.errors, [{ resource: "ReleaseAsset", code: "already_exists", field: "name" }]);

const assets = await octokit.paginate(repos.listReleaseAssets, { owner, repo, release_id, per_page: 2 });
same(assets.map((asset) => asset.name), ["large.pack", "small.txt", "with.space.bin"]);
const { data: renamed } = await repos.updateReleaseAsset({ owner, repo, asset_id: assets[1].id, name: "tiny.txt", label: "tiny" });
same([renamed.name, renamed.label, renamed.id], ["tiny.txt", "tiny", assets[1].id]);
const { data: edited } = await repos.updateRelease({ owner, repo, release_id, name: "The first", body: "**words**" });
same([edited.name, edited.body, edited.draft, edited.assets.length], ["The first", "**words**", true, 3]);
await refused(404, repos.getReleaseByTag({ owner, repo, tag: "v1.0.0" }));
same((await repos.listReleases({ owner, repo })).data.map((release) => release.id), [release_id]);

const { data: published } = await repos.updateRelease({ owner, repo, release_id, draft: false, make_latest: "true" });
same([published.draft, typeof published.published_at], [false, "string"]);
same((await repos.getLatestRelease({ owner, repo })).data.id, release_id);
same((await repos.getReleaseByTag({ owner, repo, tag: "v1.0.0" })).data.id, release_id);
same((await octokit.rest.git.getRef({ owner, repo, ref: "tags/v1.0.0" })).data.ref, "refs/tags/v1.0.0");
for (const asset of published.assets) {
  const { data } = await repos.getReleaseAsset({ owner, repo, asset_id: asset.id, headers: { accept: "application/octet-stream" } });
  same(`sha256:${sha256(Buffer.from(data))}`, asset.digest);
  const browser = await fetch(asset.browser_download_url);
  same(`sha256:${sha256(Buffer.from(await browser.arrayBuffer()))}`, asset.digest);
}
const fresh = await octokit.request("GET /repos/{owner}/{repo}/releases/{release_id}", { owner, repo, release_id });
const unchanged = octokit.request("GET /repos/{owner}/{repo}/releases/{release_id}", { owner, repo, release_id, headers: { "if-none-match": fresh.headers.etag } });
same((await unchanged.then(() => null, (error) => error)).status, 304);
const again = await refused(422, repos.createRelease({ owner, repo, tag_name: "v1.0.0" }));
same(again.errors[0].code, "already_exists");

same((await repos.deleteReleaseAsset({ owner, repo, asset_id: renamed.id })).status, 204);
same((await repos.listReleaseAssets({ owner, repo, release_id })).data.length, 2);
same((await repos.deleteRelease({ owner, repo, release_id })).status, 204);
await refused(404, repos.getRelease({ owner, repo, release_id }));
const stranger = new Octokit({ auth: "wrong", baseUrl: `${process.env.BASE}/api/v3` });
await refused(401, stranger.rest.repos.createRelease({ owner, repo, tag_name: "v2" }));
console.log(`  cases ${cases}: a release through octokit`);
