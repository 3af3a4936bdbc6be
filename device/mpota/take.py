"""mpota: a release that was found is taken: its manifest, the plan, the files, and the record of it."""

from mpota.update import OPENING, done
from ota_updater import OtaError, log, use


def take(net, keys):
    """In steps: the version that is staged, None where all of it lies here already."""
    try:
        if net.config.record["version"]:
            log("I", "%s found, %s is installed" % (net.tag, net.config.record["version"]))
        else:
            log("I", "%s found, nothing is installed" % net.tag)
        if not keys:
            log("W", "no keys are set: anybody who has the server has this board")
        yield from use("ota_moves").clearing("old")
        use("mpota.fit").say_what_hides()
        yield 0
        yield from use("mpota.fit").save(net)
        done()
        seal = yield from use("mpota.accept").verify(keys)
        yield from use("mpota.accept").accept(net.config, seal)
        done()
        m, todo, total = yield from use("mpota.compare").plan(net.config, seal, net.tag)
        net.config.record = None  # it was of use up to here
        # Not the module of `m`: it would be loaded a second time.
        done("compare", "plan", "puts", "aside", "parts", "rom", "check", "rules", "header", "ota_moves", "ota_journal")
        if not todo:
            return None
        if net.api and "pack" not in m.header:
            yield from use("mpota.assets").prepare(net)
            done(*OPENING)
        yield from use("mpota.fetch").Fetch(net, m, todo, total).run()
        done()
        return (yield from use("mpota.stage").staged(net.config, m, net.tag))
    except OSError as e:
        done()
        raise OtaError((yield from use("mpota.trouble").explain(e)))
    finally:
        if net.sock:
            net.sock.close()
