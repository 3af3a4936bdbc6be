"""A release through PyGithub, from draft to deletion. Counts what it has seen to be right."""

import hashlib
import io
import os
import socket
import tempfile

import github

CASES = 0


def resolve(host, *args, _ask=socket.getaddrinfo, **kwargs):
    """Every name below `localhost` is this computer, also where the system's resolver has no idea."""
    return _ask("127.0.0.1" if host.endswith(".localhost") else host, *args, **kwargs)


socket.getaddrinfo = resolve


def same(actual, expected):
    global CASES
    assert actual == expected, (actual, expected)
    CASES += 1


def refused(status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except github.GithubException as e:
        same(e.status, status)
        return e.data
    raise AssertionError("it was not refused")


def client(token):
    base = os.environ["BASE"] + "/api/v3"
    return github.Github(auth=github.Auth.Token(token), base_url=base, retry=None, seconds_between_requests=0)


def main():
    hub = client(os.environ["TOKEN"])
    same(hub.get_user().login, "octo")
    repo = hub.get_repo("octo/weather")
    same((repo.full_name, repo.private, repo.permissions.push), ("octo/weather", False, True))
    same(list(repo.get_releases()), [])
    refused(404, repo.get_latest_release)
    draft = repo.create_git_release("v1.0.0", "One", "words", draft=True)
    same((draft.draft, draft.name, draft.body), (True, "One", "words"))

    contents = {"small.txt": b"hello\n", "with space.bin": bytes(5000), "large.pack": bytes(range(250)) * 12000}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(content)
            if name == "small.txt":
                asset = draft.upload_asset_from_memory(
                    io.BytesIO(content), len(content), name, content_type="text/plain", label="small"
                )
            else:
                asset = draft.upload_asset(path, label=name)
            same((asset.name, asset.size, asset.state), (name.replace(" ", "."), len(content), "uploaded"))
            same(asset.raw_data["digest"], "sha256:" + hashlib.sha256(content).hexdigest())
        data = refused(422, draft.upload_asset, os.path.join(folder, "large.pack"))
        same(data["errors"], [{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}])

    assets = sorted(draft.get_assets(), key=lambda asset: asset.name)
    same([asset.name for asset in assets], ["large.pack", "small.txt", "with.space.bin"])
    renamed = assets[1].update_asset("tiny.txt", "tiny")
    same((renamed.name, renamed.label, renamed.id), ("tiny.txt", "tiny", assets[1].id))
    edited = draft.update_release("The first", "other words", draft=True)
    same((edited.name, edited.body, edited.draft), ("The first", "other words", True))
    refused(404, repo.get_release, "v1.0.0")

    published = edited.update_release("The first", "other words", draft=False, make_latest="true")
    same((published.draft, published.published_at is not None), (False, True))
    same(repo.get_latest_release().id, draft.id)
    same(repo.get_release("v1.0.0").id, draft.id)
    same(repo.get_git_ref("tags/v1.0.0").ref, "refs/tags/v1.0.0")
    with tempfile.TemporaryDirectory() as folder:
        for asset in published.assets:
            path = os.path.join(folder, asset.name)
            asset.download_asset(path)
            with open(path, "rb") as file:
                same("sha256:" + hashlib.sha256(file.read()).hexdigest(), asset.raw_data["digest"])
    data = refused(422, repo.create_git_release, "v1.0.0", "again", "")
    same(data["errors"][0]["code"], "already_exists")

    same(renamed.delete_asset(), True)
    same(len(list(repo.get_release(draft.id).get_assets())), 2)
    published.delete_release()
    refused(404, repo.get_release, draft.id)
    refused(401, lambda: client("wrong").get_user().login)
    print(f"  cases {CASES}: a release through PyGithub")


main()
