using System.Net;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Network;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication.Databases;

public sealed class PasswdFileDatabaseTests : IDisposable
{
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(1);

    private readonly string _file = Path.GetTempFileName();
    private readonly ManualClock _clock = new();
    private int _writes;

    [Fact]
    public async Task Lines_are_read_as_Dovecot_reads_them()
    {
        await WriteAsync("""
            # people
            alice@example.com:{SSHA}abc
            alice@example.com:{SSHA}second
            Bob:$6$salt$hash:1000:1000::/home/bob::userdb_quota=1G nologin
            carol:{SSHA}abc:::::: user=x nologin
            dave:
            erin:*
            frank:!{SSHA}abc
            no colon
            bad name:{SSHA}abc
            :{SSHA}abc

            """);
        using var database = Open();

        Assert.Equal(("{SSHA}abc", false), await AskAsync(database, "alice@example.com"));
        Assert.Equal(("$6$salt$hash", true), await AskAsync(database, "bob@example.com"));
        Assert.Equal(("{SSHA}abc", true), await AskAsync(database, "carol@example.com"));
        Assert.True((await AskAsync(database, "dave@example.com"))!.Value.IsDisabled);
        Assert.True((await AskAsync(database, "erin@example.com"))!.Value.IsDisabled);
        Assert.True((await AskAsync(database, "frank@example.com"))!.Value.IsDisabled);
        Assert.Null(await AskAsync(database, "nobody@example.com"));
    }

    [Fact]
    public async Task A_change_counts_at_the_next_look_and_a_file_that_is_gone_leaves_what_was_read()
    {
        await WriteAsync("alice:{SSHA}one\n");
        using var database = Open();
        Assert.Equal("{SSHA}one", (await AskAsync(database, "alice@example.com"))!.Value.Password);

        await WriteAsync("alice:{SSHA}other\n");
        Assert.Equal("{SSHA}one", (await AskAsync(database, "alice@example.com"))!.Value.Password);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("{SSHA}other", (await AskAsync(database, "alice@example.com"))!.Value.Password);

        File.Delete(_file);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("{SSHA}other", (await AskAsync(database, "alice@example.com"))!.Value.Password);
    }

    [Fact]
    public async Task A_file_that_is_being_written_is_read_when_it_is_at_rest_and_until_then_nobody_is_missing()
    {
        await WriteAsync("alice:{SSHA}one\nbob:{SSHA}one\n");
        using var database = Open();
        Assert.NotNull(await AskAsync(database, "bob@example.com"));

        // Of a writer whose clock goes ahead of ours: by its age alone it would never be at rest.
        await WriteAsync("alice:{SSHA}", Ahead);
        await LookAgainAsync(database, "{SSHA}one");
        await WriteAsync("alice:{SSHA}other\nbob:{SS", Ahead);
        await LookAgainAsync(database, "{SSHA}one");
        await WriteAsync("alice:{SSHA}other\nbob:{SSHA}other\n", Ahead);
        await LookAgainAsync(database, "{SSHA}one");
        await LookAgainAsync(database, "{SSHA}other");

        async Task LookAgainAsync(PasswdFileDatabase asked, string expected)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal((expected, false), await AskAsync(asked, "bob@example.com"));
        }
    }

    [Fact]
    public async Task The_first_question_waits_for_a_file_that_has_only_just_been_written()
    {
        await WriteAsync("alice:{SSHA}one\n", Ahead);
        using var database = Open();
        Assert.NotNull(await AskAsync(database, "alice@example.com"));
    }

    [Theory]
    [InlineData("", true, true)]
    [InlineData("userdb_quota=1G user=x nodelay proxy=y host=10.0.0.1", true, true)]
    [InlineData("nologin", false, false)]
    [InlineData("nologin=1", false, false)]
    [InlineData("nologin=no", false, false)]
    [InlineData("user=x\tNoLogin=true", false, false)]
    [InlineData("nopassword", false, false)]
    [InlineData("nopassword=y", false, false)]
    [InlineData("noauthenticate=y", false, false)]
    [InlineData("fail=yes", false, false)]
    [InlineData("allow_nets=192.0.2.0/24", true, false)]
    [InlineData("user=x allow_nets=10.0.0.0/8,192.0.2.7,2001:db8::/32", true, false)]
    [InlineData("allow_nets=::ffff:192.0.2.7", true, false)]
    [InlineData("allow_nets=192.0.2.200/24", true, false)]
    [InlineData("allow_nets=192.0.2.200", false, false)]
    [InlineData("allow_nets=0.0.0.0/0", true, true)]
    [InlineData("allow_nets=local", false, false)]
    [InlineData("allow_nets=local,198.51.100.0/24", false, true)]
    [InlineData("allow_nets=", false, false)]
    public void Extra_fields_keep_out_whom_Dovecot_keeps_out(string extras, bool here, bool elsewhere)
    {
        var read = PasswdFileExtras.Read(extras);
        Assert.Equal((here, elsewhere), (MayLogIn("192.0.2.7"), MayLogIn("198.51.100.7")));
        Assert.Null(read.Unknown);

        bool MayLogIn(string address) => !read.IsDisabled && (read.Networks is null || AddressList.Contains(read.Networks, IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("allow_real_nets=192.0.2.0/24", "allow_real_nets")]
    [InlineData("allow_nets=192.0.2.0/24 allow_nets=0.0.0.0/0", "allow_nets")]
    [InlineData("allow_nets=192.0.2.0/33", "allow_nets")]
    [InlineData("allow_nets=192.0.2.0/24,everywhere", "allow_nets")]
    [InlineData("allow_nets", "allow_nets")]
    [InlineData("deny=y", "deny")]
    public void A_restriction_that_is_not_understood_keeps_everybody_out_and_is_told(string extras, string field)
    {
        var read = PasswdFileExtras.Read(extras);
        Assert.Equal((true, field), (read.IsDisabled, read.Unknown));
    }

    [Fact]
    public async Task A_user_with_networks_may_log_in_from_there_alone()
    {
        await WriteAsync("alice:{SSHA}abc::::::allow_nets=192.0.2.0/24,2001:db8::/32\n");
        using var database = Open();
        foreach (var (client, isDisabled) in new[] { ("192.0.2.7", false), ("::ffff:192.0.2.7", false), ("2001:db8::7", false), ("192.0.3.7", true), ("127.0.0.1", true) })
            Assert.Equal((client, isDisabled), (client, (await AnswerAsync(database, "alice@example.com", client)).Account!.IsDisabled));
    }

    [Fact]
    public async Task A_file_of_masters_that_is_gone_has_nobody_until_it_is_back()
    {
        await WriteAsync("support:{SSHA}one\n");
        using var masters = new PasswdFileDatabase(new PasswdFileOptions { File = _file }, "example.com", _clock, NullLogger<PasswdFileDatabase>.Instance, endsWithFile: true);
        Assert.NotNull(await AskAsync(masters, "support@example.com"));
        File.Delete(_file);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(DatabaseAnswerKind.NoSuchUser, (await AnswerAsync(masters, "support@example.com")).Kind);
        await WriteAsync("support:{SSHA}other\n");
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("{SSHA}other", (await AskAsync(masters, "support@example.com"))!.Value.Password);
    }

    [Fact]
    public async Task What_could_not_be_read_at_once_is_read_though_the_file_does_not_change_again()
    {
        await WriteAsync("alice:{SSHA}one\n");
        using var database = Open();
        Assert.Equal("{SSHA}one", (await AskAsync(database, "alice@example.com"))!.Value.Password);
        await WriteAsync("alice:{SSHA}other\n");
        _clock.Advance(TimeSpan.FromSeconds(1));
        await using (new FileStream(_file, FileMode.Open, FileAccess.Read, FileShare.None)) Assert.Equal("{SSHA}one", (await AskAsync(database, "alice@example.com"))!.Value.Password);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("{SSHA}other", (await AskAsync(database, "alice@example.com"))!.Value.Password);
    }

    [Fact]
    public async Task A_file_that_was_never_read_is_a_failure_and_no_empty_list()
    {
        File.Delete(_file);
        using var database = Open();
        Assert.Equal(DatabaseAnswerKind.Failure, (await AnswerAsync(database, "alice@example.com")).Kind);
    }

    [Fact]
    public async Task A_file_of_64_MiB_is_read()
    {
        var user = "alice:{SSHA}abc\n";
        var comment = "#" + new string('x', 64 * 1024 - 2) + "\n";
        await using (var writer = new StreamWriter(_file))
        {
            for (var i = 0; i < PasswdFileDatabase.MaxBytes / comment.Length - 1; i++) await writer.WriteAsync(comment);
            await writer.WriteAsync(comment[..(comment.Length - user.Length - 1)] + "\n" + user);
        }
        Assert.Equal(PasswdFileDatabase.MaxBytes, new FileInfo(_file).Length);
        using var database = Open();
        Assert.Equal("{SSHA}abc", (await AskAsync(database, "alice@example.com"))!.Value.Password);
    }

    [Fact]
    public async Task A_million_users_are_read_and_no_more()
    {
        await using (var writer = new StreamWriter(_file))
            for (var i = 1; i <= 1_000_001; i++) await writer.WriteAsync(FormattableString.Invariant($"u{i}:x\n"));
        using var database = Open();
        Assert.Equal("x", (await AskAsync(database, "u1000000@example.com"))!.Value.Password);
        Assert.Equal(DatabaseAnswerKind.NoSuchUser, (await AnswerAsync(database, "u1000001@example.com")).Kind);
    }

    [Fact]
    public async Task A_file_beyond_the_limit_is_not_read()
    {
        await using (var stream = new FileStream(_file, FileMode.Create)) stream.SetLength(PasswdFileDatabase.MaxBytes + 1);
        using var database = Open();
        Assert.Equal(DatabaseAnswerKind.Failure, (await AnswerAsync(database, "alice@example.com")).Kind);
    }

    public void Dispose() => File.Delete(_file);

    // As if it had been written some time ago, or by somebody whose clock is ahead, each time at another.
    private async Task WriteAsync(string text, TimeSpan? at = null)
    {
        await File.WriteAllTextAsync(_file, text);
        File.SetLastWriteTimeUtc(_file, DateTime.UtcNow + (at ?? TimeSpan.FromHours(-1)) + TimeSpan.FromSeconds(++_writes));
    }

    private PasswdFileDatabase Open() => new(new PasswdFileOptions { File = _file }, "example.com", _clock, NullLogger<PasswdFileDatabase>.Instance);

    private static async Task<(string Password, bool IsDisabled)?> AskAsync(PasswdFileDatabase database, string name) =>
        (await AnswerAsync(database, name)).Account is { } account ? (account.Password, account.IsDisabled) : null;

    private static async Task<DatabaseAnswer> AnswerAsync(PasswdFileDatabase database, string name, string client = "127.0.0.1")
    {
        Assert.True(UserName.TryCreate(name, null, out var user));
        return await database.AskAsync(new DatabaseQuestion(user, null, IPAddress.Parse(client)), CancellationToken.None);
    }
}
