using ImapDirector.Director.Authentication;
using ImapDirector.Director.Authentication.Tokens;

namespace ImapDirector.Director.Login;

/// <summary>What mechanisms that do not send the password, and masters, work with.</summary>
/// <param name="Scram">For SCRAM.</param>
/// <param name="Tokens">For OAUTHBEARER and XOAUTH2; <c>null</c> where they are not offered.</param>
/// <param name="Certificates">For EXTERNAL.</param>
/// <param name="Masters">For whoever asks to be somebody else, also with a password.</param>
internal sealed record LoginProofs(ScramVerifiers Scram, TokenLogin? Tokens, CertificateLogin Certificates, MasterLogin Masters);
