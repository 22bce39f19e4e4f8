using ImapDirector.Network.Tls;

namespace ImapDirector.Configuration;

/// <summary>Which certificates of those who connect count, as <c>ClientCertificates</c> has it.</summary>
internal static class ClientCertificateSettings
{
    private const int MostCrlFiles = 16;

    /// <param name="settings">What is below the key.</param>
    /// <param name="isRequired">Whether they are required where nothing is said of it.</param>
    /// <returns><c>null</c> where none are asked for.</returns>
    public static ClientCertificateOptions? Read(SettingsReader settings, bool isRequired)
    {
        var file = settings.Text("AuthorityFile");
        var (isOneRequired, userFrom) = (settings.Flag("Require", isRequired), settings.Choice("UserFrom", CertificateField.SubjectCommonName));
        var lists = settings.Texts("CrlFiles", []);
        if (lists.Count > MostCrlFiles) settings.Refuse("CrlFiles", $"names {lists.Count}: give at most {MostCrlFiles}.");
        if (file is not null) return new ClientCertificateOptions(file, isOneRequired, userFrom, lists.Count == 0 ? null : lists);
        if (settings.Text("Require") is not null || settings.Text("UserFrom") is not null || lists.Count > 0) settings.Require("AuthorityFile", "name the PEM certificates of those who sign clients' certificates");
        return null;
    }
}
