"""The servers of the comparison: pretix with its worker, onsale, and the two stores that they share."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import redis

# As pretix's manual runs it: the unit files of its guide for one server.
GUNICORN = "--name pretix --workers 5 --max-requests 1200 --max-requests-jitter 50 --log-level=info"
CELERY = "-A pretix.celery_app worker -l info"
CONFIG = """[pretix]
instance_name=Bench
url=http://127.0.0.1:{port}
currency=EUR
datadir={folder}/data
trust_x_forwarded_for=on
trust_x_forwarded_proto=on
[database]
backend=postgresql
name=pretix
user={pg.username}
password={pg.password}
host={pg.hostname}
port={pg.port}
[mail]
from=tickets@localhost
[redis]
location={redis}/1
sessions=true
[celery]
backend={redis}/2
broker={redis}/3
"""
START_SECONDS = 120


class Database:
    """A connection to one database."""

    def __init__(self, url):
        self.connection = psycopg2.connect(url)
        self.connection.autocommit = True

    def rows(self, query, *values):
        with self.connection.cursor() as cursor:
            cursor.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []


class Stores:
    """PostgreSQL with one database for each system, and Redis. `onsale dev` has started them."""

    def __init__(self):
        url = os.environ["DATABASE_URL"]
        self.onsale = Database(url)
        self.onsale.rows("create database pretix")
        self.pretix = Database(urlunsplit(urlsplit(url)._replace(path="/pretix")))
        settings = {name: self.onsale.rows(f"show {name}")[0][0] for name in ("fsync", "synchronous_commit")}
        if set(settings.values()) != {"on"}:
            raise RuntimeError(f"PostgreSQL does not wait for the disk: {settings}")
        postmaster = self.onsale.rows("select pg_read_file('postmaster.pid')")[0][0]
        self.redis = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
        self.pids = {"Redis": self.redis.info("server")["process_id"], "PostgreSQL": int(postmaster.split()[0])}

    def rest(self):
        """Writes the checkpoint that earlier work has made due, so that no later round pays for it."""
        self.onsale.rows("checkpoint")
        time.sleep(1)

    def versions(self):
        postgres = self.onsale.rows("show server_version")[0][0].split()[0]
        return f"PostgreSQL {postgres}, Redis {self.redis.info('server')['redis_version']}"


class Servers:
    """Processes that end with this object."""

    def __init__(self, folder):
        self.folder, self.running = folder, []

    def start(self, name, command, env=None, **more):
        log = (self.folder / f"{name}.log").open("w")
        process = subprocess.Popen(command, env=env, stderr=log, **{"stdout": log, **more})
        self.running.append(process)
        return process

    def stop(self):
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def until(ready, what, process):
    end = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{what} did not start")
        time.sleep(0.1)


class Pretix:
    """pretix: gunicorn's workers and Celery's worker, with their database, caches and queues."""

    def __init__(self, servers, events, tickets):
        self.port, self.folder = free_port(), servers.folder
        programs = Path(sys.executable).parent
        (self.folder / "data" / "media").mkdir(parents=True)
        config = self.folder / "pretix.cfg"
        stores = {"pg": urlsplit(os.environ["DATABASE_URL"]), "redis": os.environ["REDIS_URL"]}
        config.write_text(CONFIG.format(port=self.port, folder=self.folder, **stores))
        # gunicorn has a socket in the home folder.
        env = {**os.environ, "HOME": str(self.folder), "PRETIX_CONFIG_FILE": str(config)}
        env["DJANGO_SETTINGS_MODULE"] = "pretix.settings"
        with (self.folder / "migrate.log").open("w") as log:
            migrate = [programs / "python", "-m", "pretix", "migrate"]
            subprocess.run(migrate, check=True, env=env, cwd=self.folder, stdout=log, stderr=log)
            shop = [programs / "python", Path(__file__).parent / "shop.py", str(events), str(tickets)]
            made = subprocess.run(shop, check=True, env=env, cwd=self.folder, stdout=subprocess.PIPE, stderr=log)
        self.events = json.loads(made.stdout)
        gunicorn = [programs / "gunicorn", "pretix.wsgi", *GUNICORN.split(), f"--bind=127.0.0.1:{self.port}"]
        gunicorn = servers.start("gunicorn", gunicorn, env, cwd=self.folder)
        celery = servers.start("celery", [programs / "celery", *CELERY.split()], env, cwd=self.folder)
        self.pids = {"gunicorn": gunicorn.pid, "Celery": celery.pid}
        until(self.answers, "gunicorn", gunicorn)
        until(lambda: " ready." in (self.folder / "celery.log").read_text(), "Celery", celery)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def replaced(self):
        """The number of gunicorn's workers that were replaced."""
        return (self.folder / "gunicorn.log").read_text().count("Autorestarting worker")


class Onsale:
    """One process of onsale, with its default settings."""

    def __init__(self, servers, binary, users):
        subprocess.run([binary, "migrate"], check=True, stdout=subprocess.DEVNULL)
        seed = subprocess.run(
            [binary, "seed", "--users", str(users + 1)], check=True, stdout=subprocess.PIPE, text=True
        )
        # "created N users, FIRST to LAST"
        self.admin, self.last = (int(word) for word in seed.stdout.split()[3::2])
        serve = [binary, "serve", "--listen", "127.0.0.1:0"]
        process = servers.start("onsale", serve, stdout=subprocess.PIPE, text=True)
        self.port = int(process.stdout.readline().split("http://")[1].split(":")[1])
        self.pids = {"onsale": process.pid}

    @contextmanager
    def paused(self):
        """Stops the process meanwhile, so that its loops take no part in what is measured."""
        os.kill(self.pids["onsale"], signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pids["onsale"], signal.SIGCONT)
