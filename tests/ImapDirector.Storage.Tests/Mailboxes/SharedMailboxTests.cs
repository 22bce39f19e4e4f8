using CsCheck;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using Xunit;

namespace ImapDirector.Storage.Tests.Mailboxes;

/// <summary>What sessions read of a shared mailbox, however far they are behind.</summary>
public sealed class SharedMailboxTests
{
    private static MessageRecord Message(uint uid, ulong modSeq, SystemFlags flags = SystemFlags.None) =>
        new(uid, modSeq, flags, [], DateTimeOffset.UnixEpoch, 100, uid) { SavedSeconds = 0 };

    private static SharedMailbox Mailbox(int messages, int logCapacity = ChangeLog.DefaultCapacity)
    {
        var record = new MailboxRecord(1, MailboxName.Inbox, 1, (uint)messages + 1, (ulong)messages, null, true, true, (uint)messages, 0, 0, 0);
        return new SharedMailbox(record, MessageList.Of(Enumerable.Range(1, messages).Select(static i => Message((uint)i, (ulong)i))), 1, new ChangeLog(logCapacity));
    }

    [Fact]
    public void A_session_is_not_told_of_the_flags_it_changed_itself()
    {
        var mailbox = Mailbox(3);
        var (mine, other) = (new MailboxCursor(readOnly: false), new MailboxCursor(readOnly: false));
        var uids = mailbox.Join(mine);
        mailbox.Join(other);
        mailbox.FlagsChanged([Message(2, 4, SystemFlags.Seen)], mine);
        mailbox.Read(mine, uids);
        mailbox.Read(other, uids);
        Assert.Empty(mine.Changed);
        Assert.Equal([2u], other.Changed);
    }

    [Fact]
    public void An_older_record_never_replaces_a_newer_one()
    {
        var mailbox = Mailbox(1);
        mailbox.FlagsChanged([Message(1, 9, SystemFlags.Seen)], null);
        mailbox.FlagsChanged([Message(1, 8, SystemFlags.Draft)], null);
        Assert.Equal(SystemFlags.Seen, mailbox.Find(1)?.Flags);
    }

    [Fact]
    public void The_signal_fires_for_a_change_made_before_the_wait()
    {
        var mailbox = Mailbox(1);
        var cursor = new MailboxCursor(readOnly: false);
        mailbox.Join(cursor);
        Assert.False(cursor.Signal.WaitAsync().IsCompleted);
        mailbox.Deleted();
        mailbox.Read(cursor, []);
        Assert.True(cursor.Gone);
    }

    /// <summary>The log is far too short, so that sessions often have to compare; they must learn the same as from a long one.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(ChangeLog.DefaultCapacity)]
    public void Whatever_happens_a_session_ends_up_with_what_is_there(int logCapacity)
    {
        var step = Gen.Select(Gen.Int[0, 3], Gen.UInt[1, 30], Gen.Int[0, 3]);
        step.Array[0, 60].Sample(steps =>
        {
            var mailbox = Mailbox(5, logCapacity);
            var model = Enumerable.Range(1, 5).ToDictionary(static i => (uint)i, static i => Message((uint)i, (ulong)i));
            var next = 6u;
            var modSeq = 6ul;
            var sessions = Enumerable.Range(0, 3).Select(_ => new Reader(mailbox)).ToArray();
            foreach (var (what, number, reader) in steps)
            {
                var uid = model.Count == 0 ? 0 : model.Keys.Order().ElementAt((int)(number % model.Count));
                switch (what)
                {
                    case 0:
                        model[next] = Message(next, ++modSeq);
                        mailbox.Added([model[next++]]);
                        break;
                    case 1 when uid > 0:
                        model[uid] = Message(uid, ++modSeq, (SystemFlags)(number % 32));
                        mailbox.FlagsChanged([model[uid]], sessions[0].Cursor);
                        sessions[0].Flags[uid] = model[uid].Flags;
                        break;
                    case 2 when uid > 0:
                        model.Remove(uid);
                        mailbox.Removed(new ExpungedMessages([uid], ++modSeq));
                        break;
                }
                if (reader < sessions.Length) sessions[reader].Catch(mayExpunge: number % 2 == 0);
            }
            foreach (var session in sessions)
            {
                session.Catch(mayExpunge: true);
                Assert.Equal(model.Keys.Order(), session.View);
                foreach (var uid in session.View) Assert.Equal(model[uid].Flags, session.Flags[uid]);
            }
        });
    }

    private sealed class Reader
    {
        private readonly SharedMailbox _mailbox;

        public Reader(SharedMailbox mailbox)
        {
            _mailbox = mailbox;
            View = [.. mailbox.Join(Cursor)];
            foreach (var uid in View) Flags[uid] = mailbox.Find(uid)!.Flags;
        }

        public MailboxCursor Cursor { get; } = new(readOnly: false);

        public List<uint> View { get; private set; }

        public Dictionary<uint, SystemFlags> Flags { get; } = [];

        public void Catch(bool mayExpunge)
        {
            _mailbox.Read(Cursor, View.ToArray());
            if (Cursor.Added.Count > 0) Cursor.Added.RemoveAll(Cursor.Removed.Remove);
            if (mayExpunge)
            {
                View.RemoveAll(Cursor.Removed.Contains);
                Cursor.Removed.Clear();
            }
            foreach (var uid in Cursor.Added) Flags[uid] = _mailbox.Find(uid)!.Flags;
            View.AddRange(Cursor.Added);
            Cursor.Added.Clear();
            foreach (var uid in Cursor.Changed)
                if (_mailbox.Find(uid) is { } message) Flags[uid] = message.Flags;
            Cursor.Changed.Clear();
        }
    }
}
