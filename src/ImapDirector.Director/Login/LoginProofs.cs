using ImapDirector.Director.Authentication;
using ImapDirector.Director.Authentication.Tokens;

namespace ImapDirector.Director.Login;

/// <summary>What mechanisms that do not send the password work with.</summary>
/// <param name="Scram">For SCRAM.</param>
/// <param name="Tokens">For OAUTHBEARER and XOAUTH2; <c>null</c> where they are not offered.</param>
/// <param name="Certificates">For EXTERNAL.</param>
internal sealed record LoginProofs(ScramVerifiers Scram, TokenLogin? Tokens, CertificateLogin Certificates);
