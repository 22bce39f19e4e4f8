using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Network.Tls;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static ImapDirector.Director.Authentication.DatabaseAnswerKind;
using static ImapDirector.Director.Tests.Authentication.Databases.ScriptedDirectory;

namespace ImapDirector.Director.Tests.Authentication.Databases;

/// <summary>What a directory, or whoever sits between it and us, may answer.</summary>
public sealed class HostileDirectoryTests : IDisposable
{
    private const byte Success = 0, Referral = 10, Unavailable = 52, InvalidCredentials = 49;
    private const string Dn = "uid=alice,ou=people,dc=example,dc=com";
    // Only a test that fails waits for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Where_STARTTLS_is_refused_no_password_is_sent()
    {
        await using var directory = new ScriptedDirectory(static (asked, id) => asked == ExtendedRequest ? Result(id, ExtendedResponse, Unavailable) : Result(id, BindResponse, Success));
        await using var database = Open(Binding(directory) with { StartTls = true });

        Assert.Same(DatabaseAnswer.Failure, await AskAsync(database));

        await TestDirector.UntilAsync(() => Task.FromResult(directory.Ended == 1));
        Assert.Equal([ExtendedRequest], directory.Asked);
        Assert.Empty(directory.Strange);
    }

    [Fact]
    public async Task What_is_sent_in_the_clear_behind_the_answer_to_STARTTLS_answers_nothing()
    {
        using var certificate = Certificate();
        // Who sits in between says "the password is right" before the handshake, for the question that will come behind it.
        await using var directory = new ScriptedDirectory(static (asked, id) => asked == ExtendedRequest
            ? [.. Result(id, ExtendedResponse, Success), .. Result((byte)(id + 1), BindResponse, Success)]
            : Result(id, BindResponse, InvalidCredentials))
        { Certificate = certificate };
        await using var database = Open(Binding(directory) with { StartTls = true, CaFile = Path.Combine(_directory.FullName, "cert.pem") });

        Assert.Equal(WrongPassword, (await AskAsync(database)).Kind);

        Assert.Equal([ExtendedRequest, BindRequest], directory.Asked);
    }

    [Fact]
    public async Task References_to_other_directories_are_not_followed()
    {
        using var elsewhere = new TcpListener(IPAddress.Loopback, 0);
        elsewhere.Start();
        var url = new Uri($"ldap://{elsewhere.LocalEndpoint}");
        await using var directory = new ScriptedDirectory((asked, id) => asked == BindRequest
            ? Result(id, BindResponse, Success)
            : [.. Reference(id, url), .. Entry(id, Dn, "uid", "alice"), .. Reference(id, url), .. Result(id, SearchResultDone, Success)]);
        await using var database = Open(Searching(directory));

        Assert.Equal(RightPassword, (await AskAsync(database)).Kind);
        directory.Answer = (asked, id) => asked == BindRequest ? Result(id, BindResponse, Success) : [.. Reference(id, url), .. Result(id, SearchResultDone, Success)];
        Assert.Equal(NoSuchUser, (await AskAsync(database)).Kind);
        directory.Answer = static (asked, id) => Result(id, asked == BindRequest ? BindResponse : SearchResultDone, Referral);
        Assert.Same(DatabaseAnswer.Failure, await AskAsync(database));

        Assert.False(elsewhere.Pending());
    }

    [Theory]
    [InlineData(64 * 1024 - 1, nameof(RightPassword))]
    [InlineData(64 * 1024, nameof(RightPassword))]
    [InlineData(64 * 1024 + 1, nameof(Failure))]
    public async Task An_answer_may_take_64_KiB(int bytes, string kind)
    {
        // What there is besides a diagnostic message of that length.
        const int Rest = 20;
        await using var directory = new ScriptedDirectory((_, id) => Result(id, BindResponse, Success, bytes - Rest));
        Assert.Equal(bytes, directory.Answer(BindRequest, 1).Length);
        await using var database = Open(Binding(directory));
        Assert.Equal(kind, (await AskAsync(database)).Kind.ToString());
    }

    [Theory]
    [InlineData(0x7FFF_FFFF)]
    [InlineData(64 * 1024 + 1)]
    public async Task One_that_says_it_is_longer_is_not_waited_for(int length)
    {
        await using var directory = new ScriptedDirectory((_, _) => [0x30, 0x84, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length]);
        await using var database = Open(Binding(directory));
        Assert.Same(DatabaseAnswer.Failure, await AskAsync(database));
    }

    [Theory]
    [InlineData(14, nameof(RightPassword))]
    [InlineData(15, nameof(Failure))]
    public async Task A_search_may_be_answered_by_sixteen_messages(int references, string kind)
    {
        var elsewhere = new Uri("ldap://192.0.2.66/");
        await using var directory = new ScriptedDirectory((asked, id) => asked == BindRequest
            ? Result(id, BindResponse, Success)
            : [.. Enumerable.Repeat(Reference(id, elsewhere), references).SelectMany(static one => one), .. Entry(id, Dn, "uid", "alice"), .. Result(id, SearchResultDone, Success)]);
        await using var database = Open(Searching(directory));
        Assert.Equal(kind, (await AskAsync(database)).Kind.ToString());
    }

    [Theory]
    [InlineData(1, nameof(RightPassword))]
    [InlineData(2, nameof(Failure))]
    [InlineData(17, nameof(Failure))]
    [InlineData(10_000, nameof(Failure))]
    public async Task More_than_one_entry_is_nobody(int entries, string kind)
    {
        await using var directory = new ScriptedDirectory((asked, id) => asked == BindRequest
            ? Result(id, BindResponse, Success)
            : [.. Enumerable.Repeat(Entry(id, Dn, "uid", "alice"), entries).SelectMany(static one => one), .. Result(id, SearchResultDone, Success)]);
        await using var database = Open(Searching(directory));
        Assert.Equal(kind, (await AskAsync(database)).Kind.ToString());
    }

    public static TheoryData<string, Func<byte, byte[]>> Wrong => new()
    {
        { "the answer to another question", static id => Result((byte)(id + 1), BindResponse, Success) },
        { "an answer of another kind", static id => Result(id, SearchResultDone, Success) },
        { "a notice of disconnection", static id => Result(0, ExtendedResponse, Unavailable) },
        { "no length", static id => [0x30, 0x80, .. Result(id, BindResponse, Success)[2..], 0, 0] },
        { "a length of five bytes", static id => [0x30, 0x85, 0, 0, 0, 0, 12, .. Result(id, BindResponse, Success)[2..]] },
        { "no sequence", static id => [0x31, .. Result(id, BindResponse, Success)[1..]] },
        { "nothing in it", static _ => [0x30, 0] },
        { "another number inside", static id => Message(id, BindResponse, [0x0A, 2, 0, 0]) },
        { "nothing in the answer", static id => Message(id, BindResponse, []) },
        { "something that is cut off", static id => Message(id, BindResponse, [0x0A, 5, 0]) },
        { "another protocol", static _ => "* OK IMAP4rev1\r\n"u8.ToArray() },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task What_is_no_answer_is_a_failure_and_that_connection_is_not_used_again(string what, Func<byte, byte[]> answer)
    {
        await using var directory = new ScriptedDirectory((_, id) => answer(id));
        await using var database = Open(Binding(directory));

        Assert.True(ReferenceEquals(DatabaseAnswer.Failure, await AskAsync(database)), what);

        directory.Answer = static (_, id) => Result(id, BindResponse, Success);
        Assert.Equal(RightPassword, (await AskAsync(database)).Kind);
        Assert.Equal(2, directory.Connections);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(5, false)]
    [InlineData(13, false)]
    [InlineData(14, true)]
    public async Task A_directory_that_hangs_is_given_up_and_asked_anew(int bytes, bool inHandshake)
    {
        // The first bytes of an answer, or all of one that begins a handshake which never comes.
        await using var directory = new ScriptedDirectory((asked, id) => Result(id, asked == ExtendedRequest ? ExtendedResponse : BindResponse, Success)[..bytes]);
        await using var database = Open(Binding(directory) with { StartTls = inHandshake, Timeout = TimeSpan.FromMilliseconds(300) });

        Assert.Same(DatabaseAnswer.Failure, await AskAsync(database));
        Assert.Same(DatabaseAnswer.Failure, await AskAsync(database));

        if (inHandshake) return;
        // On a machine that stands still the time may be over before there is a connection.
        await TestDirector.UntilAsync(async () =>
        {
            Assert.Same(DatabaseAnswer.Failure, await AskAsync(database));
            return directory.Connections >= 2;
        });
        directory.Answer = static (_, id) => Result(id, BindResponse, Success);
        await TestDirector.UntilAsync(async () => (await AskAsync(database)).Kind == RightPassword);
        Assert.InRange(directory.Connections, 3, int.MaxValue);
    }

    private X509Certificate2 Certificate()
    {
        ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"]).Dispose();
        using var pem = X509Certificate2.CreateFromPemFile(Path.Combine(_directory.FullName, "cert.pem"), Path.Combine(_directory.FullName, "key.pem"));
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pfx), null);
    }

    private static LdapDatabaseOptions Binding(ScriptedDirectory directory) => new() { Url = directory.Url, UserDn = "uid={local},dc=example,dc=com", Timeout = Patience };

    private static LdapDatabaseOptions Searching(ScriptedDirectory directory) =>
        new() { Url = directory.Url, LookupDn = "cn=lookup", LookupPassword = "secret", SearchBase = "dc=example,dc=com", Timeout = Patience };

    private static LdapDatabase Open(LdapDatabaseOptions options) => new(options, NullLogger<LdapDatabase>.Instance);

    private static Task<DatabaseAnswer> AskAsync(LdapDatabase database) => database.AskAsync(
        new DatabaseQuestion(UserName.TryCreate("alice@example.com", null, out var user) ? user : throw new InvalidOperationException(), "secret"u8.ToArray(), IPAddress.Loopback),
        CancellationToken.None).AsTask().WaitAsync(Patience);
}
