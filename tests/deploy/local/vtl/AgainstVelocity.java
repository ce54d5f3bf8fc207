import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.reflect.Field;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;
import org.apache.velocity.app.event.InvalidReferenceEventHandler;
import org.apache.velocity.context.Context;
import org.apache.velocity.runtime.RuntimeInstance;
import org.apache.velocity.util.introspection.Info;

/** Renders templates with Apache Velocity: a line in (mode, template), a line out. */
public class AgainstVelocity {
  /** API Gateway's answer to an invalid reference. */
  public static final class Empty implements InvalidReferenceEventHandler {
    public Object invalidGetMethod(Context c, String r, Object o, String p, Info i) {
      return "";
    }

    public boolean invalidSetMethod(Context c, String l, String r, Info i) {
      return false;
    }

    public Object invalidMethod(Context c, String r, Object o, String m, Info i) {
      return "";
    }
  }

  private static Map<String, Object> map(Object... pairs) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put((String) pairs[i], pairs[i + 1]);
    }
    return map;
  }

  private static List<Object> list(Object... items) {
    List<Object> list = new ArrayList<>();
    for (Object item : items) {
      list.add(item);
    }
    return list;
  }

  /** Must be the same as VARIABLES in test_against_apache_velocity.py. */
  private static Map<String, Object> variables() {
    return map(
        "s", "str", "e", "", "n", 7, "d", 1.5, "t", true, "f", false,
        "big", 12345678901L, "huge", new BigInteger("123456789012345678901234567890"),
        "l", list(3, "x", null, true, 2.5), "m", map("a", 1, "b", map("c", "d")),
        "nested", list(list(1, 2), list(3)), "foo-bar", "FB");
  }

  private static String render(boolean gateway, String template) throws Exception {
    VelocityEngine engine = new VelocityEngine();
    engine.setProperty(
        "runtime.log.logsystem.class", "org.apache.velocity.runtime.log.NullLogChute");
    if (gateway) {
      engine.setProperty("velocimacro.permissions.allow.inline", "false");
      engine.setProperty("eventhandler.invalidreferences.class", "AgainstVelocity$Empty");
    }
    engine.init();
    if (gateway) {
      Field field = VelocityEngine.class.getDeclaredField("ri");
      field.setAccessible(true);
      ((RuntimeInstance) field.get(engine)).removeDirective("evaluate");
    }
    StringWriter writer = new StringWriter();
    engine.evaluate(new VelocityContext(variables()), writer, "t", template);
    return writer.toString();
  }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "US-ASCII"));
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, "US-ASCII");
    String line;
    while ((line = in.readLine()) != null) {
      String template = new String(Base64.getDecoder().decode(line.substring(1)), "UTF-8");
      try {
        String text = render(line.charAt(0) == 'a', template);
        out.println("+" + Base64.getEncoder().encodeToString(text.getBytes("UTF-8")));
      } catch (Throwable error) {
        out.println("-");
      }
    }
  }
}
