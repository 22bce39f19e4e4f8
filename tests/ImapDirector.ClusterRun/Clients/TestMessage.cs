using System.Text;

namespace ImapDirector.ClusterRun.Clients;

/// <summary>A message that is told from all others by its Message-ID.</summary>
internal static class TestMessage
{
    public static string Create(string user, string id, Random random)
    {
        var text = new StringBuilder($"From: bob@example.org\r\nTo: {user}\r\nMessage-ID: <{id}>\r\nSubject: {id}\r\n\r\n");
        // One in ten has a body that a node keeps in a file.
        var lines = random.Next(10) == 0 ? 1200 : random.Next(1, 30);
        for (var line = 0; line < lines; line++) text.Append($"line {line} of {id} ................................\r\n");
        return text.ToString();
    }
}
