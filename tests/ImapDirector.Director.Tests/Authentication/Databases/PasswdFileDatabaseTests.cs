using System.Net;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication.Databases;

public sealed class PasswdFileDatabaseTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();
    private readonly ManualClock _clock = new();

    [Fact]
    public async Task Lines_are_read_as_Dovecot_reads_them()
    {
        await File.WriteAllTextAsync(_file, """
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
    public async Task A_change_counts_within_a_second_and_a_file_that_is_gone_leaves_what_was_read()
    {
        await File.WriteAllTextAsync(_file, "alice:{SSHA}one\n");
        using var database = Open();
        Assert.Equal("{SSHA}one", (await AskAsync(database, "alice@example.com"))!.Value.Password);

        await File.WriteAllTextAsync(_file, "alice:{SSHA}other\n");
        Assert.Equal("{SSHA}one", (await AskAsync(database, "alice@example.com"))!.Value.Password);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("{SSHA}other", (await AskAsync(database, "alice@example.com"))!.Value.Password);

        File.Delete(_file);
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
    public async Task A_file_beyond_the_limit_is_not_read()
    {
        await using (var stream = new FileStream(_file, FileMode.Create)) stream.SetLength(PasswdFileDatabase.MaxBytes + 1);
        using var database = Open();
        Assert.Equal(DatabaseAnswerKind.Failure, (await AnswerAsync(database, "alice@example.com")).Kind);
    }

    public void Dispose() => File.Delete(_file);

    private PasswdFileDatabase Open() => new(new PasswdFileOptions { File = _file }, "example.com", _clock, NullLogger<PasswdFileDatabase>.Instance);

    private static async Task<(string Password, bool IsDisabled)?> AskAsync(PasswdFileDatabase database, string name) =>
        (await AnswerAsync(database, name)).Account is { } account ? (account.Password, account.IsDisabled) : null;

    private static async Task<DatabaseAnswer> AnswerAsync(PasswdFileDatabase database, string name)
    {
        Assert.True(UserName.TryCreate(name, null, out var user));
        return await database.AskAsync(new DatabaseQuestion(user, null, IPAddress.Loopback), CancellationToken.None);
    }
}
