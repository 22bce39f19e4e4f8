using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication.Tokens;

/// <summary>Logs in with a token: it is good, it names the user that is asked for, and the user may log in.</summary>
internal sealed class TokenLogin : IDisposable
{
    private readonly DirectorOptions _options;
    private readonly TokenOptions _tokens;
    private readonly DatabaseChain _chain;
    private readonly ITokenVerifier _verifier;

    /// <summary>With the verifier that the settings name.</summary>
    public TokenLogin(DirectorOptions options, TokenOptions tokens, DatabaseChain chain, ILoggerFactory loggers)
        : this(options, tokens, chain, tokens.IntrospectionUrl is null
            ? new JwtVerifier(tokens, loggers.CreateLogger<JwtVerifier>(), TimeProvider.System)
            : new IntrospectionVerifier(tokens, loggers.CreateLogger<IntrospectionVerifier>()))
    {
    }

    private TokenLogin(DirectorOptions options, TokenOptions tokens, DatabaseChain chain, ITokenVerifier verifier) =>
        (_options, _tokens, _chain, _verifier) = (options, tokens, chain, verifier);

    /// <summary>Checks it.</summary>
    /// <param name="identity">The name the client gives, UTF-8; empty to be whom the token names.</param>
    /// <param name="token">The token as it came.</param>
    /// <param name="client">Where the client is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<AuthenticationResult> CheckAsync(ReadOnlyMemory<byte> identity, ReadOnlyMemory<byte> token, IPAddress client, CancellationToken cancellationToken)
    {
        if (token.Span.ContainsAnyExceptInRange((byte)'!', (byte)'~')) return new AuthenticationResult(AuthenticationOutcome.InvalidToken, default);
        var answer = await _verifier.VerifyAsync(Encoding.ASCII.GetString(token.Span), cancellationToken);
        if (answer.Kind == TokenAnswerKind.Failure) return new AuthenticationResult(AuthenticationOutcome.TemporaryFailure, default);
        if (answer.Kind == TokenAnswerKind.WrongScope) return new AuthenticationResult(AuthenticationOutcome.WrongScope, default);
        if (answer.Kind != TokenAnswerKind.Valid || !LoginName.TryReadIssued(answer.User!, _options.DefaultDomain, out var user)) return new AuthenticationResult(AuthenticationOutcome.InvalidToken, default);
        // Nobody may ask to be somebody else (limits P24).
        if (!identity.IsEmpty && (!LoginName.TryRead(identity.Span, _options.DefaultDomain, out var asked) || asked != user)) return new AuthenticationResult(AuthenticationOutcome.InvalidToken, user);

        var admitted = await _chain.AdmitAsync(user, client, cancellationToken);
        return new AuthenticationResult(admitted == AuthenticationOutcome.NoSuchUser && !_tokens.RequireAccount ? AuthenticationOutcome.Success : admitted, user);
    }

    /// <summary>What a client is told before it is refused (RFC 7628 section 3.2.2, and Google's form of it for XOAUTH2).</summary>
    public byte[] ErrorFor(AuthenticationOutcome outcome, bool isXOAuth2)
    {
        var error = new Dictionary<string, string>();
        if (isXOAuth2) (error["status"], error["schemes"]) = (outcome == AuthenticationOutcome.WrongScope ? "403" : "401", "bearer");
        else error["status"] = outcome == AuthenticationOutcome.WrongScope ? "insufficient_scope" : "invalid_token";
        if (_tokens.RequiredScope is { } scope) error["scope"] = scope;
        if (!isXOAuth2 && _tokens.Issuer is { } issuer) error["openid-configuration"] = issuer.OriginalString.TrimEnd('/') + "/.well-known/openid-configuration";
        return JsonSerializer.SerializeToUtf8Bytes(error);
    }

    /// <inheritdoc />
    public void Dispose() => (_verifier as IDisposable)?.Dispose();
}
