using System.Net;
using ImapDirector.Network.Tls;

namespace ImapDirector.Configuration;

/// <summary>Where HTTPS listens, with what, and for whom.</summary>
/// <param name="Address">Where.</param>
/// <param name="Certificate">What is shown there.</param>
/// <param name="Clients">Which certificates those who connect are asked for, or <c>null</c> for none.</param>
/// <param name="Operators">Whose certificate gives orders.</param>
internal sealed record HttpsSettings(IPEndPoint Address, CertificatePair Certificate, ClientCertificateOptions? Clients, IReadOnlyList<string> Operators)
{
    /// <returns><c>null</c> where there is none.</returns>
    public static HttpsSettings? Read(SettingsReader settings)
    {
        var (address, certificate, key) = (settings.EndPoint("Address"), settings.Text("CertificateFile"), settings.Text("KeyFile"));
        var clients = settings.Within("ClientCertificates", static below => ClientCertificateSettings.Read(below, isRequired: true));
        var operators = settings.Texts("Operators", []);
        if (address is null && certificate is null && key is null && clients is null && operators.Count == 0) return null;
        if (address is null) settings.Require("Address", "give the address to listen on, such as 0.0.0.0:1181");
        if (certificate is null) settings.Require("CertificateFile", "name the PEM chain");
        if (key is null) settings.Require("KeyFile", "name the key that belongs to the certificate");
        if (operators.Count > 0 && clients is null) settings.Require("ClientCertificates:AuthorityFile", "name those who sign the certificates of Operators");
        return address is null || certificate is null || key is null ? null : new HttpsSettings(address, new CertificatePair(certificate, key), clients, operators);
    }
}
