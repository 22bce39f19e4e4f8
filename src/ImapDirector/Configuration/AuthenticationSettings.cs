using ImapDirector.Director;

namespace ImapDirector.Configuration;

/// <summary>What stands below <c>Authentication</c> in a director's configuration.</summary>
internal static class AuthenticationSettings
{
    private static readonly Uri NoUrl = new("none:");

    /// <summary>The kinds of password databases.</summary>
    private enum DatabaseKind
    {
        Redis,
        PasswdFile,
        Ldap,
        Http,
        Node,
    }

    public static AuthenticationOptions Read(SettingsReader settings)
    {
        var defaults = new AuthenticationOptions();
        var databases = settings.Each("Databases", ReadDatabase);
        return new AuthenticationOptions
        {
            Mechanisms = settings.Texts("Mechanisms", defaults.Mechanisms),
            Databases = databases.Count > 0 ? databases : defaults.Databases,
            Tokens = settings.Within("Tokens", ReadTokens),
            Masters = settings.Within("Masters", ReadMasters),
            AllowPlainHashes = settings.Flag("AllowPlainHashes", defaults.AllowPlainHashes),
            UpgradeHashes = settings.Flag("UpgradeHashes", defaults.UpgradeHashes),
            MakeScramVerifiers = settings.Flag("MakeScramVerifiers", defaults.MakeScramVerifiers),
            ScramIterations = settings.Number("ScramIterations", defaults.ScramIterations),
            Argon2MemoryKiB = settings.Number("Argon2MemoryKiB", defaults.Argon2MemoryKiB),
            Argon2Iterations = settings.Number("Argon2Iterations", defaults.Argon2Iterations),
            Argon2Lanes = settings.Number("Argon2Lanes", defaults.Argon2Lanes),
            MaxHashes = settings.Number("MaxHashes", defaults.MaxHashes),
            MaxWaitingHashes = settings.Number("MaxWaitingHashes", defaults.MaxWaitingHashes),
        };
    }

    private static MasterOptions? ReadMasters(SettingsReader settings)
    {
        var (file, networks) = (settings.Text("File"), settings.Networks("Networks"));
        var separator = settings.Value<char?>("Separator", null, static (string text, out char? letter) => (letter = text is [var only] ? only : null) is not null, "one letter, such as \"*\"");
        if (file is not null) return new MasterOptions { File = file, Networks = networks, Separator = separator };
        if (networks.Count > 0 || separator is not null) settings.Require("File", "name a file of lines as name:password, with the masters in it and nobody else");
        return null;
    }

    private static TokenOptions ReadTokens(SettingsReader settings)
    {
        var defaults = new TokenOptions();
        return new TokenOptions
        {
            Issuer = settings.Value<Uri?>("Issuer", null, TryUrl, "https://id.example.com"),
            KeysUrl = settings.Value<Uri?>("KeysUrl", null, TryUrl, "https://id.example.com/keys"),
            IntrospectionUrl = settings.Value<Uri?>("IntrospectionUrl", null, TryUrl, "https://id.example.com/introspect"),
            ClientId = settings.Text("ClientId") ?? defaults.ClientId,
            ClientSecret = settings.Secret("ClientSecret") ?? defaults.ClientSecret,
            Audiences = settings.Texts("Audiences", defaults.Audiences),
            RequiredScope = settings.Text("RequiredScope"),
            UserClaim = settings.Text("UserClaim") ?? defaults.UserClaim,
            RequireVerifiedEmail = settings.Flag("RequireVerifiedEmail", defaults.RequireVerifiedEmail),
            Algorithms = settings.Texts("Algorithms", defaults.Algorithms),
            Types = settings.Texts("Types", defaults.Types),
            MaxKeysAge = settings.Time("MaxKeysAge", defaults.MaxKeysAge),
            ClockTolerance = settings.Time("ClockTolerance", defaults.ClockTolerance),
            Timeout = settings.Time("Timeout", defaults.Timeout),
            RequireAccount = settings.Flag("RequireAccount", defaults.RequireAccount),
            CaFile = settings.Text("CaFile"),
        };
    }

    private static PasswordDatabaseOptions? ReadDatabase(SettingsReader settings)
    {
        var kind = settings.Choice("Kind", (DatabaseKind)(-1));
        PasswordDatabaseOptions? database = kind switch
        {
            DatabaseKind.Redis => new RedisDatabaseOptions(),
            DatabaseKind.PasswdFile => ReadPasswdFile(settings),
            DatabaseKind.Ldap => ReadLdap(settings),
            DatabaseKind.Http => ReadHttp(settings),
            DatabaseKind.Node => new NodeDatabaseOptions(),
            _ => null,
        };
        if (settings.Text("Kind") is null) settings.Require("Kind", $"write one of {string.Join(", ", Enum.GetNames<DatabaseKind>())}");
        return database is null ? null : database with
        {
            OnNoSuchUser = settings.Choice("OnNoSuchUser", database.OnNoSuchUser),
            OnWrongPassword = settings.Choice("OnWrongPassword", database.OnWrongPassword),
            OnFailure = settings.Choice("OnFailure", database.OnFailure),
        };
    }

    private static PasswdFileOptions ReadPasswdFile(SettingsReader settings)
    {
        var file = settings.Text("File");
        if (file is null) settings.Require("File", "name a file of lines as name:password");
        return new PasswdFileOptions { File = file ?? "" };
    }

    private static LdapDatabaseOptions ReadLdap(SettingsReader settings)
    {
        var defaults = new LdapDatabaseOptions { Url = ReadUrl(settings, "ldap://127.0.0.1 or ldaps://ldap.example.com") };
        return defaults with
        {
            StartTls = settings.Flag("StartTls", defaults.StartTls),
            AllowPlainText = settings.Flag("AllowPlainText", defaults.AllowPlainText),
            CaFile = settings.Text("CaFile"),
            LookupDn = settings.Text("LookupDn") ?? defaults.LookupDn,
            LookupPassword = settings.Secret("LookupPassword") ?? defaults.LookupPassword,
            SearchBase = settings.Text("SearchBase") ?? defaults.SearchBase,
            SearchFilter = settings.Text("SearchFilter") ?? defaults.SearchFilter,
            UserDn = settings.Text("UserDn"),
            PasswordAttribute = settings.Text("PasswordAttribute"),
            DisabledAttribute = settings.Text("DisabledAttribute"),
            MaxConnections = settings.Number("MaxConnections", defaults.MaxConnections),
            Timeout = settings.Time("Timeout", defaults.Timeout),
        };
    }

    private static HttpDatabaseOptions ReadHttp(SettingsReader settings)
    {
        var defaults = new HttpDatabaseOptions { Url = ReadUrl(settings, "https://auth.example.com/login") };
        return defaults with
        {
            AllowPlainText = settings.Flag("AllowPlainText", defaults.AllowPlainText),
            HeaderName = settings.Text("HeaderName"),
            HeaderValue = settings.Secret("HeaderValue") ?? defaults.HeaderValue,
            CaFile = settings.Text("CaFile"),
            MaxConnections = settings.Number("MaxConnections", defaults.MaxConnections),
            Timeout = settings.Time("Timeout", defaults.Timeout),
        };
    }

    private static bool TryUrl(string text, out Uri? url) => Uri.TryCreate(text, UriKind.Absolute, out url);

    private static Uri ReadUrl(SettingsReader settings, string example)
    {
        var url = settings.Value("Url", NoUrl, static (string text, out Uri value) => Uri.TryCreate(text, UriKind.Absolute, out value!), example);
        if (settings.Text("Url") is null) settings.Require("Url", $"write {example}");
        return url;
    }
}
