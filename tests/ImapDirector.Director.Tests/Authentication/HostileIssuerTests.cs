using System.Globalization;
using ImapDirector.Director.Authentication.Tokens;
using ImapDirector.Director.Tests.Authentication.Databases;
using ImapDirector.Director.Tests.Directory;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication;

/// <summary>What an issuer of tokens may answer, and how long it may take.</summary>
public sealed class HostileIssuerTests
{
    private const int MostBytes = 256 * 1024;
    private const int MostHeadBytes = 16 * 1024;
    // Only a test that fails waits for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>How tokens are checked: with keys that the configuration names, with keys alone, or by asking.</summary>
    public static TheoryData<string> Ways => ["configuration", "keys", "introspection"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task An_answer_may_take_256_KiB(string way)
    {
        foreach (var (bytes, kind) in new[] { (MostBytes - 1, TokenAnswerKind.Valid), (MostBytes, TokenAnswerKind.Valid), (MostBytes + 1, TokenAnswerKind.Failure) })
        {
            foreach (var inChunks in (bool[])[false, true])
            {
                await using var issuer = Issuer(response => OfLength(response, bytes, inChunks));
                Assert.Equal(kind, await AskAsync(issuer, way));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Its_head_may_take_16_KiB(string way)
    {
        foreach (var (bytes, kind) in new[] { (MostHeadBytes - 1, TokenAnswerKind.Valid), (MostHeadBytes, TokenAnswerKind.Valid), (MostHeadBytes + 1, TokenAnswerKind.Failure) })
        {
            await using var issuer = Issuer(response => HttpAuthServer.WithHead(bytes, response));
            Assert.Equal(kind, await AskAsync(issuer, way));
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Nobody_is_asked_whom_the_issuer_names_instead_of_itself(string way)
    {
        await using var elsewhere = Issuer(static response => response);
        await using var issuer = Issuer(_ => HttpAuthServer.Redirect(new Uri(elsewhere.Issuer + "/keys")));
        Assert.Equal(TokenAnswerKind.Failure, await AskAsync(issuer, way));
        Assert.Empty(elsewhere.Requests);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task An_issuer_that_hangs_is_given_up_and_asked_anew(string way)
    {
        foreach (var share in (double[])[0, 0.5, 0.99])
        {
            await using var issuer = Issuer(response => response[..(int)(response.Length * share)]);
            var options = Options(issuer, way) with { Timeout = TimeSpan.FromMilliseconds(300) };
            using var verifier = Open(options);
            Assert.Equal(TokenAnswerKind.Failure, (await VerifyAsync(verifier, issuer).WaitAsync(Patience)).Kind);

            issuer.Change = static response => response;
            await TestDirector.UntilAsync(async () => (await VerifyAsync(verifier, issuer)).Kind == TokenAnswerKind.Valid);
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Those_who_wait_for_one_that_hangs_wait_together_and_not_one_behind_the_other(string way)
    {
        await using var issuer = Issuer(static _ => "");
        // One behind the other, they would wait longer than the test does.
        using var verifier = Open(Options(issuer, way) with { Timeout = TimeSpan.FromSeconds(2) });
        var answers = Enumerable.Range(0, 60).Select(_ => VerifyAsync(verifier, issuer)).ToArray();
        Assert.All(await Task.WhenAll(answers).WaitAsync(Patience), static answer => Assert.Equal(TokenAnswerKind.Failure, answer.Kind));
    }

    private static TokenIssuer Issuer(Func<string, string> change) => new()
    {
        Introspect = static _ => HttpAuthServer.Json("""{"active":true,"email":"alice@example.com","email_verified":true,"aud":"imap"}"""),
        Change = change,
    };

    private static TokenOptions Options(TokenIssuer issuer, string way) => way switch
    {
        "keys" => issuer.Options with { KeysUrl = new Uri(issuer.Issuer + "/keys") },
        "introspection" => issuer.Options with { IntrospectionUrl = new Uri(issuer.Issuer + "/introspect"), ClientId = "director", ClientSecret = "secret" },
        _ => issuer.Options,
    };

    private static IDisposable Open(TokenOptions options) => options.IntrospectionUrl is null
        ? new JwtVerifier(options, NullLogger<JwtVerifier>.Instance, TimeProvider.System)
        : new IntrospectionVerifier(options, NullLogger<IntrospectionVerifier>.Instance);

    private static Task<TokenAnswer> VerifyAsync(IDisposable verifier, TokenIssuer issuer) => ((ITokenVerifier)verifier).VerifyAsync(issuer.Token(), CancellationToken.None).AsTask();

    private static async Task<TokenAnswerKind> AskAsync(TokenIssuer issuer, string way)
    {
        using var verifier = Open(Options(issuer, way) with { Timeout = TimeSpan.FromSeconds(30) });
        return (await VerifyAsync(verifier, issuer).WaitAsync(Patience)).Kind;
    }

    // JSON may end with spaces.
    private static string OfLength(string response, int bytes, bool inChunks)
    {
        var parts = response.Split("\r\n\r\n", 2);
        var body = parts[1].PadRight(bytes);
        return inChunks
            ? $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length.ToString("x", CultureInfo.InvariantCulture)}\r\n{body}\r\n0\r\n\r\n"
            : HttpAuthServer.Json(body);
    }
}
