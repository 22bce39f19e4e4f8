"""Synthetic mail: the same seed gives the same bytes, whichever server they go to."""
import base64
import datetime
import quopri
import random

WORDS = ("account agenda answer archive balance branch budget calendar change client colour comment contract corner delivery demand design detail "
         "draft engine estimate evening factory figure folder garden harbour invoice journey kitchen letter library machine margin meeting memory "
         "minute monday network notice number office order package parcel pattern payment picture planet postcard project quarter question railway "
         "receipt record report request river sample schedule season server signal station storage summary supply surface table ticket traffic "
         "update valley version village weather window winter workshop yesterday").split()
ACCENTED = "Grüße über Äpfel, naïve façade, Zürich, señor, Łódź, 東京 会議 資料, Привет, Ελλάδα".split()
PEOPLE = [f"{first} {last}" for first in ("Anna", "Bruno", "Clara", "David", "Elena", "Felix", "Greta", "Hugo", "Ines", "Jonas")
          for last in ("Adler", "Berg", "Conti", "Dubois", "Eklund", "Fischer", "Garcia", "Horvat", "Ivanov", "Jensen")]
FIRST_DAY = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
# It is in the text of one message of fifty; no other word contains it.
RARE_WORD = "marmalade"


def address(person):
    return f"{person.lower().replace(' ', '.')}@example.org"


class Mail:
    """One message after another. Every third answers an earlier one, by In-Reply-To and References."""

    def __init__(self, seed=1, minimum=1024, maximum=20480):
        self.random = random.Random(seed)
        self.minimum, self.maximum = minimum, maximum
        self.number = 0
        self.recent = []

    def __iter__(self):
        return self

    def __next__(self):
        """(bytes with CRLF, INTERNALDATE as APPEND takes it, flags)"""
        pick = self.random
        self.number += 1
        date = FIRST_DAY + datetime.timedelta(minutes=10 * self.number + pick.randrange(600))
        size = int(self.minimum * (self.maximum / self.minimum) ** pick.random())
        sender, recipient = pick.choice(PEOPLE), pick.choice(PEOPLE)
        name = f'"{sender}"' if self.number % 7 else encoded(sender + " " + pick.choice(ACCENTED))
        head = [f"Received: from mx{pick.randrange(9)}.example.net by mail.example.com with ESMTP id {pick.getrandbits(48):012x}; {rfc(date)}",
                f"Date: {rfc(date)}", f"From: {name} <{address(sender)}>", f"To: {recipient} <{address(recipient)}>"]
        if self.number % 4 == 0:
            head.append("Cc: " + ",\r\n ".join(f"{other} <{address(other)}>" for other in pick.sample(PEOPLE, 3)))
        message_id = f"<{pick.getrandbits(64):016x}.{self.number}@example.org>"
        if self.number % 3 == 0 and self.recent:
            subject, chain = pick.choice(self.recent)
            subject, chain = subject if subject.startswith("Re: ") else "Re: " + subject, chain[-10:] + [message_id]
            head += [f"In-Reply-To: {chain[-2]}", "References: " + "\r\n ".join(chain[:-1])]
        else:
            text = self.text(40)
            subject, chain = (text if self.number % 5 else encoded(f"{pick.choice(ACCENTED)} {text}")), [message_id]
        self.recent = (self.recent + [(subject, chain)])[-200:]
        head += [f"Message-ID: {message_id}", f"Subject: {subject}", "MIME-Version: 1.0", "X-Mailer: Synthetic 1.0"]
        message = ("\r\n".join(head) + "\r\n").encode() + self.body(size)
        flags = [flag for flag, chance in (("\\Seen", 0.7), ("\\Answered", 0.1)) if pick.random() < chance]
        return message, date.strftime("%d-%b-%Y %H:%M:%S +0000"), flags

    def body(self, size):
        """Of ten messages six are plain text, two have an HTML alternative, two an attachment."""
        kind = self.number % 10
        if kind < 6:
            return b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + self.lines(size)
        boundary = f"=_{self.random.getrandbits(64):016x}"
        if kind < 8:
            text = self.lines(size // 3)
            html = quopri.encodestring(b"<html><body><p>" + text.replace(b"\r\n", b"</p>\n<p>") + b"</p></body></html>").replace(b"\n", b"\r\n")
            return multipart("alternative", boundary, [(b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit", text),
                             (b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable", html)])
        data = base64.encodebytes(self.random.randbytes(size // 2)).replace(b"\n", b"\r\n")
        return multipart("mixed", boundary, [(b"Content-Type: text/plain; charset=utf-8", self.lines(size // 4)),
                         (b'Content-Type: application/pdf; name="report.pdf"\r\nContent-Disposition: attachment; filename="report.pdf"\r\n'
                          b"Content-Transfer-Encoding: base64", data)])

    def lines(self, size):
        result = [RARE_WORD] if self.number % 50 == 0 else []
        length = 0
        while length < size:
            result.append(self.text(68) + (" " + self.random.choice(ACCENTED) if self.random.random() < 0.1 else ""))
            length += len(result[-1]) + 2
        return ("\r\n".join(result) + "\r\n").encode()

    def text(self, length):
        return " ".join(self.random.choices(WORDS, k=length // 7))


def multipart(kind, boundary, parts):
    mark = b"--" + boundary.encode()
    return (f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
            + b"".join(mark + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n" for head, content in parts) + mark + b"--\r\n")


def encoded(text):
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def rfc(date):
    return date.strftime("%a, %d %b %Y %H:%M:%S +0000")
