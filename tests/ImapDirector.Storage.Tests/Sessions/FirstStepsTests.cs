using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

public sealed class FirstStepsTests
{
    [Fact]
    public Task A_session_appends_selects_fetches_flags_and_expunges() => ImapScript.RunAsync("""
        C: a APPEND INBOX (\Flagged) {43}
        S: + OK
        C: From: a@example.com
        C: Subject: hi
        C:
        C: Hello
        C:
        S: a OK [APPENDUID ~ 1] ~
        C: b SELECT inbox
        S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
        S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] ~
        S: * 1 EXISTS
        S: * 1 RECENT
        S: * OK [UNSEEN 1] ~
        S: * OK [UIDVALIDITY ~] ~
        S: * OK [UIDNEXT 2] ~
        S: * OK [HIGHESTMODSEQ ~
        S: * OK [MAILBOXID ~
        S: * OK [URLMECH ~
        S: b OK [READ-WRITE] ~
        C: c FETCH 1 (UID FLAGS RFC822.SIZE BODY[])
        S: * 1 FETCH (UID 1 FLAGS (\Flagged \Seen \Recent) RFC822.SIZE 43 BODY[] {43}
        S: From: a@example.com
        S: Subject: hi
        S:
        S: Hello
        S: )
        S: c OK ~
        C: d STORE 1 +FLAGS (\Deleted)
        S: * 1 FETCH (FLAGS (\Flagged \Deleted \Seen \Recent))
        S: d OK ~
        C: e EXPUNGE
        S: * 1 EXPUNGE
        S: * 0 RECENT
        S: e OK ~
        C: f LOGOUT
        S: * BYE ~
        S: f OK ~
        S: (end)
        """);
}
