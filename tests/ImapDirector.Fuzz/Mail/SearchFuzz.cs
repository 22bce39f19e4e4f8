using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;
using Prometheus;
using Xunit;

namespace ImapDirector.Fuzz.Mail;

/// <summary>Searches that were bent, in a real store with bent messages.</summary>
public sealed class SearchFuzz : IAsyncLifetime
{
    private const int Messages = 40;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");
    private UserStore _store = null!;
    private UserMail _mail = null!;
    private SelectedMailbox _selected = null!;

    public async Task InitializeAsync()
    {
        Assert.True(UserName.TryCreate("alice@example.com", null, out var user));
        _store = await UserStore.OpenAsync(_directory.FullName, user, CancellationToken.None);
        var inputs = new List<byte[]>();
        Fuzzing.Run(MailCorpus.Messages, Messages, (input, _) => inputs.Add(input));
        foreach (var (index, input) in inputs.Index())
        {
            await using var spool = new MessageSpool(_directory.FullName);
            await spool.WriteAsync(input, CancellationToken.None);
            var flags = new FlagList((SystemFlags)(index % 32), index % 3 == 0 ? ["$Junk"] : []);
            await _store.AppendAsync(_store.FindMailbox(MailboxName.Inbox)!.Id, [new NewMessage(spool, flags, DateTimeOffset.UnixEpoch.AddDays(index * 500))], null, CancellationToken.None);
        }
        _mail = new UserMail(_store, new StorageMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())));
        var cursor = new MailboxCursor(readOnly: true);
        var (mailbox, uids) = (await _mail.OpenAsync(MailboxName.Inbox, cursor))!.Value;
        _selected = new SelectedMailbox(mailbox, MailboxAccess.Own(_mail, MailboxName.Inbox), cursor, uids, new EnabledExtensions()) { SavedResult = [1, 5, 9] };
    }

    public async Task DisposeAsync()
    {
        await _mail.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public void Every_search_that_can_be_read_has_an_answer_and_its_opposite_has_the_opposite_one()
    {
        var (read, found) = (0, 0);
        Assert.All(MailCorpus.Searches, static search => Assert.True(TryParse(Encoding.Latin1.GetBytes(search), out _), search));
        Fuzzing.Run(MailCorpus.Searches, rounds: 100_000, (input, random) =>
        {
            if (!TryParse(input, out var command) || command is not SearchCommand search) return;
            read++;
            var (program, opposite) = (Program(search.Key), Program(new NotKey(search.Key)));
            for (var i = 0; i < 5; i++)
            {
                var sequence = random.Next(_selected.Count);
                var message = _selected.Shared.Find(_selected.Uids[sequence])!;
                var matches = Matches(program, message, sequence);
                Assert.NotEqual(matches, Matches(opposite, message, sequence));
                if (matches) found++;
            }
        });
        Assert.True(read > 1000 && found > 1000, $"Of the bent searches {read} could be read, and {found} answers were yes: that tests little.");
    }

    private static bool TryParse(byte[] input, [NotNullWhen(true)] out ImapCommand? command) =>
        ImapCommandParser.TryParse(new ReadOnlySequence<byte>(input), new ParseOptions(Utf8Names: false, 64), out command, out _);

    private SearchProgram Program(SearchKey key) => new(key, _selected, static _ => null, DateTimeOffset.UnixEpoch.AddYears(50), static () => CancellationToken.None);

    private bool Matches(SearchProgram program, MessageRecord message, int sequence)
    {
        using var candidate = new SearchCandidate(_store, message, (uint)sequence + 1, recent: false);
        return program.Matches(candidate);
    }
}
