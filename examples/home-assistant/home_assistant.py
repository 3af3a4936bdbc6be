"""This board in Home Assistant, as an update entity over MQTT: docs/guides/home-assistant.md.

It tells which version is installed and which is the latest, installs when it is told to, and says how that goes. A new
version is kept once it has reached both the update server and the broker: it can be updated again then.
"""

import json
import time

import ota_main
import ota_updater
import updates
import wifi
from umqtt.simple import MQTTClient, MQTTException

KEEPALIVE = 60  # seconds; after one and a half of them without a word the broker calls the board offline
RETRY = 15  # seconds between two tries to reach the broker
TIMEOUT = 10  # seconds that one of them may take

# What umqtt raises when the connection breaks: it takes parts of answers that are not there.
BROKEN = (OSError, MQTTException, AssertionError, IndexError, TypeError)


class Entity:
    def __init__(self, broker, name, hours):
        """`broker`: {"server": ...}, with "port", "user", "password" and "ssl" as umqtt takes them. Looks for a new
        release once in so many `hours`."""
        self.broker, self.name, self.hours = broker, name, hours
        self.state = ota_updater.status()
        self.id = "mpota-" + self.state["id"]
        self.topic = b"mpota/" + self.state["id"].encode()
        self.client = None
        self.tried = time.ticks_add(time.ticks_ms(), -1000 * RETRY)
        self.heard = self.spoke = 0  # when the broker last answered, and was last asked, by ticks_ms()
        self.reached = False  # whether the broker has answered in this start
        self.looked = False  # whether the update server has
        self.latest = self.error = ""
        self.percent = None  # of the update that runs
        self.wanted = False  # whether somebody has pressed "Install"
        self.feed = updates.CONFIG.get("feed")
        updates.CONFIG["feed"] = self._feed
        updates.CONFIG["progress"] = self._progress

    def turn(self):
        """To be called again and again, at least once in some seconds. It raises nothing of its own accord."""
        if not self.client:
            self._connect()
        self._listen()
        if self.wanted:
            self.wanted = False
            self._install()
        elif ota_updater.due(self.hours):
            self._look()
        if self.reached and self.looked and not ota_main.reached:
            updates.prove()
            self._changed()

    # --- the update ---

    def _look(self):
        try:
            wifi.connect(feed=self._feed)
            self.latest = ota_updater.check(updates.CONFIG) or ""
            self.looked, self.error = True, ""
        except ota_updater.OtaError as e:
            self.error = "no look for a new version: %s" % e
        self._changed()

    def _install(self):
        self.percent, self.error = 0, ""
        self._tell()
        try:
            updates.staged = ota_updater.update(updates.CONFIG)
            self.looked = True
        except ota_updater.OtaError as e:
            ota_updater.log("W", "no update: %s" % e)
            self.error = "not installed: %s" % e
            if e.memory:
                ota_main.restart()  # and updates before the app is loaded
        self.percent = None
        self._changed()

    def _progress(self, come, total, path):
        percent = min(99, come * 100 // max(1, total))
        if percent >= self.percent + 5:
            self.percent = percent
            self._tell()

    # --- what Home Assistant is told ---

    def _changed(self):
        self.state = ota_updater.status()
        self._tell()

    def _tell(self):
        """The keys are those of https://www.home-assistant.io/integrations/update.mqtt. Any other makes Home
        Assistant refuse the whole message."""
        state, config = self.state, updates.CONFIG
        told = {
            "installed_version": state["version"],
            "in_progress": self.percent is not None or state["state"] in ("staged", "trial"),
            "update_percentage": self.percent,
            "release_summary": self._summary()[:255],
        }
        latest = state["next"] or self.latest or (self.looked and state["version"])
        if latest:  # else Home Assistant keeps what it was told before
            told["latest_version"] = latest
            base = config.get("base_url") or "https://github.com"
            told["release_url"] = "%s/%s/%s/releases/tag/%s" % (base, config["owner"], config["repo"], latest)
        self._publish("/state", json.dumps(told))

    def _summary(self):
        """What a person should know, in a sentence."""
        state = self.state
        if self.error:
            return self.error
        if state["state"] == "trial":
            return "%s is on trial" % state["next"]
        if state["bad"]:
            return "%s was undone: %s" % (state["bad"], state["why"])
        return "the newest version waits: %s" % state["waits"] if state["waits"] else ""

    def _discovery(self):
        topic = self.topic.decode()
        return {
            "name": None,  # the entity is called as the device
            "unique_id": self.id,
            "device_class": "firmware",
            "title": updates.CONFIG["repo"],
            "state_topic": topic + "/state",
            "command_topic": topic + "/command",
            "payload_install": "install",
            "availability_topic": topic + "/available",
            "device": {"identifiers": [self.id], "name": self.name},
            "origin": {"name": "mpota"},
        }

    # --- the broker ---

    def _connect(self):
        now = time.ticks_ms()
        if time.ticks_diff(now, self.tried) < 1000 * RETRY:
            return
        try:
            wifi.connect(feed=self._feed)
            self.tried = time.ticks_ms()
            client = MQTTClient(self.id, keepalive=KEEPALIVE, **self.broker)
            client.set_callback(self._received)
            client.set_last_will(self.topic + b"/available", b"offline", retain=True)
            try:
                client.connect(True, TIMEOUT)
            except TypeError:  # an older umqtt, which waits as long as the port does
                client.connect()
            client.subscribe(self.topic + b"/command")
            client.subscribe(self.topic + b"/available")
        except BROKEN + (ota_updater.OtaError,) as e:
            self.tried = time.ticks_ms()
            ota_updater.log("W", "no broker: %r" % e)
            return
        self.client, self.heard = client, time.ticks_ms()
        self._publish("", json.dumps(self._discovery()), "homeassistant/update/%s/config" % self.id)
        self._publish("/available", "online")
        self._changed()

    def _listen(self):
        """Take what the broker has sent. Its own word that it is online comes back to the board: a broker that
        answers nothing is left."""
        try:
            for _ in range(50):
                if not self.client or self.client.check_msg() is None:
                    break
        except BROKEN as e:
            return self._lost(e)
        if self.client and time.ticks_diff(time.ticks_ms(), self.heard) > 2000 * KEEPALIVE:
            self._lost("it does not answer")
        self._feed()

    def _received(self, topic, message):
        if topic == self.topic + b"/command":
            self.wanted = self.wanted or message == b"install"
        else:
            self.heard, self.reached = time.ticks_ms(), True
            if message != b"online":  # the will of a connection of before, which came late
                self._publish("/available", "online")

    def _feed(self):
        """Called in steps of an update too, which may take longer than the broker waits."""
        if self.feed:
            self.feed()
        if self.client and time.ticks_diff(time.ticks_ms(), self.spoke) > 500 * KEEPALIVE:
            self._publish("/available", "online")

    def _publish(self, below, message, topic=None):
        """Everything is retained: Home Assistant may start later. As bytes, as umqtt counts letters."""
        if self.client:
            try:
                self.client.publish(topic and topic.encode() or self.topic + below.encode(), message.encode(), True)
                self.spoke = time.ticks_ms()
            except BROKEN as e:
                self._lost(e)

    def _lost(self, why):
        ota_updater.log("W", "the broker is gone: %s" % why)
        try:
            self.client.sock.close()
        except OSError:
            pass
        self.client = None
